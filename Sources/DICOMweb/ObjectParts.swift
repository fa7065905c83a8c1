import Archive
import Catalog
import DICOM
import NIOCore

/// Objects as parts of a multipart body, in their stored transfer syntax where that is accepted, else rewritten.
/// PS3.18 §8.6.1.2.1. Small objects go together in one piece.
final class ObjectParts: PieceSource {
    /// Less than a buffer has by what one chunk and the heads of parts may add.
    static let pieceByteCount = PieceBuffers.byteCountLimit - 2 * chunkByteCount
    /// More than the head of a part and of its file have.
    private static let headByteCount = 2 << 10
    /// What is encrypted together.
    static let chunkByteCount = 64 << 10

    private let archive: Archive
    private var holdings: HoldingPages
    private let choices: ObjectChoices
    private let boundary: Boundary
    private var current: Source?
    private var isEnded = false
    private var givenCount = 0
    private let buffers = PieceBuffers(countLimit: Pace.pieceCount)

    private enum Source {
        case stored(StoredObject, offset: UInt64)
        case rewritten(RewrittenObject)
    }

    init(archive: Archive, holdings: [Holding], choices: ObjectChoices, boundary: Boundary) {
        self.archive = archive
        self.holdings = HoldingPages(holdings, archive: archive)
        self.choices = choices
        self.boundary = boundary
    }

    deinit {
        if case .rewritten(let object) = current { object.abandon() }
    }

    /// Opens the first object, so that what cannot be had is known before the answer begins.
    ///
    /// - Throws: `.notTranscodable` when none of the objects can be had as it was asked for.
    func begin() throws {
        var failure: (any Error)?
        while let holding = try holdings.next() {
            do { return try open(holding) } catch let error as ArchiveError {
                guard Self.isForOneObject(error) else { throw error }
                failure = error
            }
        }
        throw failure ?? ArchiveError.notFound
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        let byteCount = min(byteCount, Self.pieceByteCount)
        // Whoever reads slowly keeps no buffers beside what is on its way, and these take one chunk and not a byte more:
        // sizes of buffers are powers of two.
        let isLarge = byteCount > Pace.smallByteCount
        let room = isLarge ? byteCount + 2 * Self.chunkByteCount : Self.chunkByteCount
        var piece = isLarge ? buffers.take(room) : ByteBufferAllocator().buffer(capacity: room)
        while piece.readableBytes < byteCount {
            guard let source = try current ?? openNext() else {
                isEnded = true
                piece.writeString(boundary.end())
                break
            }
            if let (holding, syntax) = pendingHead {
                guard isLarge || piece.readableBytes + Self.headByteCount <= room else { break }
                pendingHead = nil
                writeHead(to: &piece, holding, syntax)
            }
            guard isLarge || piece.readableBytes == 0 || Self.fits(source, piece.readableBytes, in: room) else { break }
            if try !fill(&piece, from: source, upTo: byteCount) { current = nil }
        }
        if isLarge { buffers.keep(piece) }
        return piece
    }

    /// Whether what is added next has room.
    private static func fits(_ source: Source, _ used: Int, in room: Int) -> Bool {
        guard case .stored(let object, let offset) = source else { return true }
        return used + Int(min(object.byteCount - offset, UInt64(chunkByteCount))) <= room
    }

    private static func isForOneObject(_ error: ArchiveError) -> Bool {
        switch error {
        case .notFound, .notTranscodable: true
        default: false
        }
    }

    private func openNext() throws -> Source? {
        while let holding = try holdings.next() {
            // Gone or changed since it was looked at: the others are of use without it.
            do { try open(holding) } catch let error as ArchiveError where Self.isForOneObject(error) { continue }
            break
        }
        return current
    }

    private func open(_ holding: Holding) throws {
        let object = try archive.open(holding)
        let syntax = try choices.syntax(for: holding, in: archive)
        if syntax.uid == holding.transferSyntaxUID, try !archive.isCorrected(object) {
            current = .stored(object, offset: 0)
        } else {
            current = .rewritten(try RewrittenObject(object, in: syntax, archive: archive))
        }
        pendingHead = (holding, syntax)
    }

    private var pendingHead: (Holding, TransferSyntax)?

    /// Adds to the piece; false when the object is at its end.
    private func fill(_ piece: inout ByteBuffer, from source: Source, upTo byteCount: Int) throws -> Bool {
        switch source {
        case .stored(let object, let offset):
            // Whole chunks as they are stored: one that is read in two parts is decrypted twice.
            let left = byteCount - piece.readableBytes
            let limit = max(Self.chunkByteCount, left / Self.chunkByteCount * Self.chunkByteCount)
            let count = try piece.writeStored(object, from: offset, upTo: limit)
            current = .stored(object, offset: offset + UInt64(count))
            return offset + UInt64(count) < object.byteCount
        case .rewritten(let object):
            guard let bytes = try object.next() else { return false }
            piece.writeBytes(bytes)
            return true
        }
    }

    private func writeHead(to piece: inout ByteBuffer, _ holding: Holding, _ syntax: TransferSyntax) {
        piece.writeString(
            boundary.head("application/dicom; transfer-syntax=\(syntax.uid)", isFirst: givenCount == 0))
        givenCount += 1
        piece.writeBytes(holding.fileHead(archive: archive, syntax: syntax))
    }
}

/// One object as a Part 10 file.
final class ObjectFile: PieceSource {
    private var head: [UInt8]
    private let content: StoredRange

    init(_ object: StoredObject, head: [UInt8]) {
        self.head = head
        content = StoredRange(object, 0..<object.byteCount)
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !head.isEmpty else { return try content.next(upTo: byteCount) }
        var piece = ByteBuffer(bytes: head)
        head = []
        if var rest = try content.next(upTo: byteCount) { piece.writeBuffer(&rest) }
        return piece
    }

    func narrow(to range: Range<Int>) -> Int {
        let headCount = head.count
        let left = min(range.lowerBound, headCount)
        head.removeFirst(left)
        return left + content.narrow(to: max(0, range.lowerBound - headCount)..<max(0, range.upperBound - headCount))
    }
}

/// Bytes of an object as they lie there.
final class StoredRange: PieceSource {
    private let object: any ContentSource
    private var offset: UInt64
    private var end: UInt64

    init(_ object: any ContentSource, _ range: Range<UInt64>) {
        self.object = object
        (offset, end) = (range.lowerBound, range.upperBound)
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard offset < end else { return nil }
        // Up to where chunks end: one that is read in two parts is decrypted twice.
        let chunk = UInt64(ObjectParts.chunkByteCount)
        let whole = (offset + UInt64(byteCount)) / chunk * chunk
        let limit = Int(min(whole > offset ? whole - offset : UInt64(byteCount), end - offset))
        var piece = ByteBufferAllocator().buffer(capacity: limit)
        offset += UInt64(try piece.writeStored(object, from: offset, upTo: limit))
        return piece
    }

    func narrow(to range: Range<Int>) -> Int {
        let start = offset
        end = min(end, start + UInt64(range.upperBound))
        offset = min(end, start + UInt64(range.lowerBound))
        return Int(offset - start)
    }
}

extension ByteBuffer {
    /// Adds bytes of an object; fewer than `limit` only at its end.
    mutating func writeStored(_ object: some ContentSource, from offset: UInt64, upTo limit: Int) throws -> Int {
        let room = Int(min(UInt64(limit), object.byteCount - offset))
        guard room > 0 else { return 0 }
        return try writeWithUnsafeMutableBytes(minimumWritableBytes: room) { memory in
            let count = try object.read(
                offset: offset, into: UnsafeMutableRawBufferPointer(rebasing: memory[..<room]))
            guard count == room else { throw ArchiveError.damaged }
            return count
        }
    }
}

extension Holding {
    /// What a file of the object begins with. PS3.10 §7.1.
    func fileHead(archive: Archive, syntax: TransferSyntax) -> [UInt8] {
        let isAnotherImage = syntax.uid != transferSyntaxUID && syntax.losesWhenRewritten
        return Part10.header(
            sopClassUID: sopClassUID,
            sopInstanceUID: isAnotherImage ? archive.derivedInstanceUID(of: self, in: syntax) : sopInstanceUID,
            transferSyntax: syntax)
    }
}
