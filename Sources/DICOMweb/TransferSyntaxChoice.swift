import Archive
import Catalog
import DICOM
import HTTP

/// Which transfer syntaxes a request takes. PS3.18 §8.7.3.
///
/// An object goes out as it is stored where no transfer syntax is named, or `*`; else in the first named one that is
/// its own, else rewritten in the first named one it can be had in.
struct TransferSyntaxChoice: Sendable {
    /// In the order of preference; empty for any.
    var named: [TransferSyntax]

    /// Reads the media ranges of the field Accept.
    ///
    /// - Returns: nil when none of them takes DICOM objects.
    init?(accepting ranges: [MediaRange]) {
        var named: [TransferSyntax] = []
        var takesAny = false
        var takesObjects = ranges.isEmpty
        for range in ranges {
            let isObject: Bool
            switch range.essence {
            case "multipart/related":
                isObject = range["type"].map { $0 == "application/dicom" || $0 == "*/*" } ?? true
            case "*/*", "multipart/*", "application/dicom", "application/*": isObject = true
            default: isObject = false
            }
            guard isObject else { continue }
            takesObjects = true
            guard let uid = range["transfer-syntax"], uid != "*" else {
                takesAny = true
                continue
            }
            named.append(TransferSyntax(uid: uid))
        }
        guard takesObjects else { return nil }
        self.named = takesAny ? [] : named
    }

    /// - Throws: `.notTranscodable` when it can be had in none of them.
    func syntax(for holding: Holding) throws(ArchiveError) -> TransferSyntax {
        if named.isEmpty || named.contains(where: { $0.uid == holding.transferSyntaxUID }) {
            return TransferSyntax(uid: holding.transferSyntaxUID)
        }
        guard let first = named.first(where: { TransferSyntax.isKnown(uid: $0.uid) }) else {
            throw .notTranscodable(.targetNotEncodable)
        }
        return first
    }
}
