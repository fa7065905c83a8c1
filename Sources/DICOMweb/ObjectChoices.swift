import Archive
import Catalog
import DICOM
import HTTP

/// How the objects of an answer may go out: the forms and transfer syntaxes that a request takes. PS3.18 §8.7.3.
///
/// An object goes out as it is stored where no transfer syntax is named, or `*`.
struct ObjectChoices: Sendable {
    enum Form: Sendable {
        case multipart
        /// One object as it is.
        case file
        case zip
    }

    struct Choice: Sendable, Equatable {
        var form: Form
        /// nil for the one in which an object is stored.
        var syntax: TransferSyntax?
        var quality = 1.0
    }

    /// In the order of preference; empty when no objects are taken.
    var all: [Choice]

    private init(_ all: [Choice]) { self.all = all }

    /// Reads the media ranges of the field Accept, the most wanted first.
    init(accepting ranges: [MediaRange]) {
        all =
            ranges.isEmpty
            ? [Choice(form: .multipart)]
            : ranges.flatMap { range in
                let syntax = range["transfer-syntax"].flatMap { $0 == "*" ? nil : TransferSyntax(uid: $0) }
                return Self.forms(range).map { Choice(form: $0, syntax: syntax, quality: range.quality) }
            }
    }

    private static func forms(_ range: MediaRange) -> [Form] {
        switch range.essence {
        case "multipart/related":
            let type = range["type"]
            return type == nil || type == "application/dicom" || type == "*/*" ? [.multipart] : []
        case "*/*", "multipart/*": return [.multipart]
        case "application/dicom": return [.file]
        case "application/zip": return [.zip]
        case "application/*": return [.file, .zip]
        default: return []
        }
    }

    /// What to try one after another: for one object each choice, for several each form with all they may have in it.
    func attempts(for holdings: [Holding]) -> [ObjectChoices] {
        if holdings.count == 1, let only = holdings.first {
            return ordered(for: only.transferSyntaxUID).map { ObjectChoices([$0]) }
        }
        var forms: [Form] = []
        for choice in all where choice.form != .file && !forms.contains(choice.form) { forms.append(choice.form) }
        return forms.map { form in ObjectChoices(all.filter { $0.form == form }) }
    }

    /// The choices for an object that is stored in a transfer syntax: of those that are wanted as much as each other its
    /// own first, so that nothing is coded anew without need.
    func ordered(for uid: String) -> [Choice] {
        guard all.count > 1 else { return all }
        return all.enumerated().sorted { left, right in
            let isOwn = (left.element.syntax?.uid == uid, right.element.syntax?.uid == uid)
            if left.element.quality != right.element.quality { return left.element.quality > right.element.quality }
            return isOwn.0 != isOwn.1 ? isOwn.0 : left.offset < right.offset
        }.map(\.element)
    }

    /// The transfer syntax in which an object goes out; reads its header where it must be rewritten.
    ///
    /// - Throws: `.notTranscodable` when it can be had in none of them.
    func syntax(for holding: Holding, in archive: Archive) throws(ArchiveError) -> TransferSyntax {
        let stored = TransferSyntax(uid: holding.transferSyntaxUID)
        var failure = ArchiveError.notTranscodable(.targetNotEncodable)
        for choice in ordered(for: stored.uid) {
            guard let syntax = choice.syntax, syntax != stored else { return stored }
            do throws(ArchiveError) {
                try archive.checkWriting(try archive.open(holding), in: syntax)
                return syntax
            } catch .notTranscodable(let reason) { failure = .notTranscodable(reason) }
        }
        throw failure
    }

    /// Whether an object that can be had in one transfer syntax only is taken in it.
    func takes(_ syntax: TransferSyntax) -> Bool { all.contains { $0.syntax == nil || $0.syntax == syntax } }

    // MARK: What can be had

    /// What is answered where nothing that is accepted can be had.
    ///
    /// - Parameters:
    ///   - syntaxes: in which the objects can be had.
    ///   - isOne: whether it is one object, which may go as a file.
    static func refusal(_ syntaxes: [String] = ["*"], isOne: Bool) -> Problem {
        let types = isOne ? [multipart, "application/dicom"] : [multipart]
        return Problem(
            .notAcceptable,
            "Objects are to be had as multipart/related; type=\"application/dicom\" and as application/zip, one also as "
                + "application/dicom; transfer-syntax=* is the one an object is stored in, others are listed here.",
            available: types.flatMap { type in syntaxes.map { "\(type); transfer-syntax=\($0)" } } + ["application/zip"]
        )
    }

    /// The same of objects that are made for who asks.
    static func releasedRefusal(isOne: Bool) -> Problem {
        Problem(
            .notAcceptable,
            "De-identified objects are to be had as multipart/related; type=\"application/dicom\", one also as "
                + "application/dicom, each in one transfer syntax; not as application/zip.",
            available: (isOne ? [multipart, "application/dicom"] : [multipart]).map { $0 + "; transfer-syntax=*" })
    }

    private static let multipart = "multipart/related; type=\"application/dicom\""
}
