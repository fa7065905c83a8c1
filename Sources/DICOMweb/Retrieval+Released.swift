import Access
import Archive
import Audit
import Catalog
import DICOM
import HTTP
import Hummingbird
import NIOCore
import Release

extension Retrieval {
    /// What goes out de-identified of what the path names; nil where nothing is to be de-identified. Every retrieval asks this
    /// before it looks at originals.
    ///
    /// - Throws: 403 for who asks for more than is granted, 404 or 403 where nothing is shown that was asked for so; 413 for
    ///   more than the limit; `ReleaseError` for a rule that cannot be followed.
    func released(_ releases: Releases) throws -> ReleasedHoldings? {
        guard let asked else { return try isGrantedOnly() ? ReleasedHoldings(grantedTo: self, releases) : nil }
        if caller.access.showsMasked(to: caller.permit) {
            // Whoever saw own objects under the pseudonyms, or stored some to see them so, could tell whose the others are.
            guard try inFull(limit: 1).isEmpty else {
                throw try refusal(
                    "something else is shown masked",
                    "Who is shown anything masked is given nothing de-identified that is shown in full: it would tell "
                        + "whom the pseudonyms stand for.")
            }
        } else if let found = try ReleasedHoldings(asked, askedBy: self, releases) {
            return found
        }
        guard let granted = try ReleasedHoldings(grantedTo: self, releases) else { throw try absence() }
        // Two profiles of the same object tell more together than either.
        guard granted.rule == asked else {
            throw try refusal(
                "granted masked by another profile",
                "This was granted by the profile \(granted.rule.profile) and is given by no other: ask for that, or without "
                    + "the parameter.")
        }
        return granted
    }

    /// What goes out de-identified, as objects.
    ///
    /// - Throws: 406 where none can be de-identified for certain.
    func response(_ released: ReleasedHoldings, _ choices: ObjectChoices) throws -> Response {
        let form = choices.all.map(\.form).first { form in
            form == .multipart || (form == .file && released.holdings.count == 1)
        }
        guard let form else {
            // A zip file has the originals' names, which nobody takes out.
            if asked == nil, choices.all.contains(where: { $0.form == .zip }) { throw try absence() }
            throw ObjectChoices.releasedRefusal(isOne: released.holdings.count == 1)
        }
        try note(released.holdings, released.rule)
        let boundary = form == .file ? nil : Boundary()
        let parts = ReleasedParts(released, choices: choices, boundary: boundary)
        try parts.begin()
        return Response(
            status: .ok,
            headers: [
                .contentType: boundary?.contentType(of: "application/dicom") ?? "application/dicom",
                .cacheControl: "private, no-store",
            ], body: PulledBody(parts, pool: pool).body())
    }

    /// The headers of what goes out de-identified.
    ///
    /// - Parameter base: address of the service.
    /// - Throws: 406 where none can be de-identified for certain.
    func metadata(_ released: ReleasedHoldings, base: String, _ form: ModelForm) throws -> Response {
        try note(released.holdings, released.rule)
        let body = ModelBody(form)
        let source = ReleasedMetadata(released, base: base + released.studyPath.text, body: body)
        try source.begin()
        return Response(
            status: .ok, headers: [.contentType: body.contentType, .cacheControl: "private, no-store"],
            body: PulledBody(source, pool: pool).body())
    }

    /// Pictures of a study or series that goes out de-identified, made of what is released of it.
    func pictures(
        of released: ReleasedHoldings, _ answer: PictureAnswer, _ choices: [PictureMediaType.Choice]
    ) throws -> Response {
        if let choice = choices.first, choice.isMultipart {
            let all = try released.images.all()
            try note(all.map(\.holding), released.rule)
            return try answer.several(all, frames: nil, choice.type)
        }
        let candidates = try released.images.candidates()
        try note(candidates.prefix(1).map(\.holding), released.rule)
        return try answer.response(firstOf: candidates, choices: choices)
    }
}

extension ArraySlice<Holding> {
    /// What is made of the next that can be made so and is taken; nil at the end.
    fileprivate mutating func makeNext<T>(_ make: (Holding) throws -> T?) throws -> T? {
        while let holding = popFirst() {
            do {
                if let made = try make(holding) { return made }
            } catch ReleaseError.quarantined {
                // The others are of use without it.
            } catch ArchiveError.notFound {
                // Removed meanwhile.
            }
        }
        return nil
    }
}

/// De-identified objects as parts of a multipart body, or one as a file. Those that cannot be made so are left out.
private final class ReleasedParts: PieceSource {
    private let released: ReleasedHoldings
    private var holdings: ArraySlice<Holding>
    private let choices: ObjectChoices
    private let boundary: Boundary?
    private let buffer = PieceBuffer()
    private var current: (object: ReleasedInstance, offset: UInt64)?
    private var isFirst = true
    private var isEnded = false

    init(_ released: ReleasedHoldings, choices: ObjectChoices, boundary: Boundary?) {
        self.released = released
        holdings = released.holdings[...]
        self.choices = choices
        self.boundary = boundary
    }

    /// Makes the first object, so that it is known before the answer begins whether there is any.
    func begin() throws {
        current = try makeNext().map { ($0, 0) }
        guard current != nil else {
            throw Problem(
                .notAcceptable, "None of the objects can be de-identified for certain, or had in the transfer syntax.",
                available: ["multipart/related; type=\"application/dicom\"; transfer-syntax=*"])
        }
    }

    private func makeNext() throws -> ReleasedInstance? {
        try holdings.makeNext { holding in
            let made = try released.released(holding, through: buffer)
            return choices.takes(made.transferSyntax) ? made : nil
        }
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var piece = ByteBuffer()
        while piece.readableBytes < byteCount {
            if current == nil { current = try makeNext().map { ($0, 0) } }
            guard let (object, offset) = current else {
                isEnded = true
                if let boundary { piece.writeString(boundary.end()) }
                break
            }
            if offset == 0 {
                if let boundary {
                    let type = "application/dicom; transfer-syntax=\(object.transferSyntax.uid)"
                    piece.writeString(boundary.head(type, isFirst: isFirst))
                }
                isFirst = false
                piece.writeBytes(object.fileMeta)
            }
            let count = min(object.byteCount - offset, UInt64(max(byteCount - piece.readableBytes, 1)))
            try object.read(offset: offset, byteCount: count) { piece.writeBytes($0) }
            let end = offset + count
            current = end < object.byteCount ? (object, end) : nil
        }
        return piece.readableBytes > 0 ? piece : nil
    }
}

/// Headers of de-identified objects, in either model. Those that cannot be made so are left out.
final class ReleasedMetadata: PieceSource {
    private let released: ReleasedHoldings
    private var holdings: ArraySlice<Holding>
    private let base: String
    private var body: ModelBody
    private let buffer = PieceBuffer()
    private var current: (text: MetadataText, sopInstanceUID: String)?
    private var isEnded = false

    /// - Parameter base: address of the study.
    init(_ released: ReleasedHoldings, base: String, body: ModelBody) {
        self.released = released
        holdings = released.holdings[...]
        self.base = base
        self.body = body
    }

    /// Makes the first, so that it is known before the answer begins whether there is any.
    func begin() throws {
        current = try makeNext()
        guard current != nil else {
            throw Problem(.notAcceptable, "None of the objects can be de-identified for certain.")
        }
    }

    private func makeNext() throws -> (MetadataText, String)? {
        try holdings.makeNext { holding in
            let made = try released.content(holding, through: buffer)
            return (made.metadata, made.sopInstanceUID)
        }
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var piece = ByteBuffer()
        while piece.readableBytes < byteCount {
            guard let (text, uid) = try current ?? makeNext() else {
                isEnded = true
                piece.writeString(body.end)
                break
            }
            current = nil
            piece.writeString(body.separator())
            let prefix = "\(base)/instances/\(uid)/"
            let suffix = released.addressQuery
            if body.form == .json {
                text.write(to: &piece, addressPrefix: prefix, addressSuffix: suffix)
            } else {
                var bytes: [UInt8] = []
                try JSONModelReader.read(text.bytes) { model in
                    XMLModelWriter.write(model, addressPrefix: prefix, addressSuffix: suffix, into: &bytes)
                }
                piece.writeBytes(bytes)
            }
        }
        return piece
    }
}
