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
    /// What was granted masked, as objects that are de-identified for it.
    ///
    /// - Throws: 406 where none can be de-identified for certain.
    func response(_ granted: Granted, _ choices: ObjectChoices) throws -> Response {
        let form = choices.all.map(\.form).first { form in
            form == .multipart || (form == .file && granted.holdings.count == 1)
        }
        guard let form else {
            // A zip file has the originals' names, which nobody takes out.
            if choices.all.contains(where: { $0.form == .zip }) { throw try absence() }
            throw ObjectChoices.refusal(isOne: granted.holdings.count == 1)
        }
        try note(granted.holdings, granted.rule)
        let boundary = form == .file ? nil : Boundary()
        let parts = ReleasedParts(granted, choices: choices, boundary: boundary)
        try parts.begin()
        return Response(
            status: .ok,
            headers: [
                .contentType: boundary?.contentType(of: "application/dicom") ?? "application/dicom",
                .cacheControl: "private, no-store",
            ], body: PulledBody(parts, pool: pool).body())
    }

    /// The headers of what was granted masked, as they are de-identified for it.
    ///
    /// - Parameter base: address of the study.
    /// - Throws: 406 where none can be de-identified for certain.
    func metadata(_ granted: Granted, base: String, _ form: ModelForm) throws -> Response {
        try note(granted.holdings, granted.rule)
        let body = ModelBody(form)
        let source = ReleasedMetadata(granted, base: base, body: body)
        try source.begin()
        return Response(
            status: .ok, headers: [.contentType: body.contentType, .cacheControl: "private, no-store"],
            body: PulledBody(source, pool: pool).body())
    }

    /// Pictures of a study or series that was granted masked, made of what is released of it.
    func pictures(
        of granted: Granted, _ answer: PictureAnswer, _ choices: [PictureMediaType.Choice]
    ) throws -> Response {
        if let choice = choices.first, choice.isMultipart {
            let all = try granted.images.all()
            try note(all.map(\.holding), granted.rule)
            return try answer.several(all, frames: nil, choice.type)
        }
        let candidates = try granted.images.candidates()
        try note(candidates.prefix(1).map(\.holding), granted.rule)
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
    private let granted: Granted
    private var holdings: ArraySlice<Holding>
    private let choices: ObjectChoices
    private let boundary: Boundary?
    private let buffer = PieceBuffer()
    private var current: (object: ReleasedInstance, offset: UInt64)?
    private var isFirst = true
    private var isEnded = false

    init(_ granted: Granted, choices: ObjectChoices, boundary: Boundary?) {
        self.granted = granted
        holdings = granted.holdings[...]
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
            let made = try granted.released(holding, through: buffer)
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
    private let granted: Granted
    private var holdings: ArraySlice<Holding>
    private let base: String
    private var body: ModelBody
    private let buffer = PieceBuffer()
    private var current: (text: MetadataText, sopInstanceUID: String)?
    private var isEnded = false

    /// - Parameter base: address of the study.
    init(_ granted: Granted, base: String, body: ModelBody) {
        self.granted = granted
        holdings = granted.holdings[...]
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
            let made = try granted.content(holding, through: buffer)
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
            if body.form == .json {
                text.write(to: &piece, addressPrefix: prefix)
            } else {
                var bytes: [UInt8] = []
                try JSONModelReader.read(text.bytes) { model in
                    XMLModelWriter.write(model, addressPrefix: prefix, into: &bytes)
                }
                piece.writeBytes(bytes)
            }
        }
        return piece
    }
}
