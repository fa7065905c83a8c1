import Archive
import DICOM
import Foundation
import NIOCore

/// An object in another transfer syntax, or with corrections that apply to it, made on a thread of its own that waits for its reader.
final class RewrittenObject: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked.

    /// Pieces made ahead of the reader.
    private static let lead = 4

    private let condition = NSCondition()
    private var pieces: [[UInt8]] = []
    private var isEnded = false
    private var isAbandoned = false
    private var failure: (any Error)?

    private struct Abandoned: Error {}

    /// Returns once the first piece is there.
    ///
    /// - Throws: `ArchiveError.notTranscodable`, when it cannot be had so.
    convenience init(_ object: StoredObject, in syntax: TransferSyntax, archive: Archive) throws {
        try self.init(named: "rewrite") { give in
            if syntax.uid == object.holding.transferSyntaxUID {
                try archive.write(object, through: PieceBuffer(), give)
            } else {
                try archive.write(object, in: syntax, through: PieceBuffer(), give)
            }
        }
    }

    /// Anything that is made by giving pieces; returns once the first is there.
    init(
        named name: String,
        _ make: @escaping @Sendable (_ give: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> Void
    ) throws {
        let thread = Thread { [weak self] in
            let result = Result {
                try make { piece in
                    guard let self, self.put(Array(piece)) else { throw Abandoned() }
                }
            }
            self?.end(result)
        }
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
        condition.lock()
        defer { condition.unlock() }
        while pieces.isEmpty, !isEnded { condition.wait() }
        if pieces.isEmpty, let failure { throw failure }
    }

    /// The next piece; nil at the end. Blocks.
    func next() throws -> [UInt8]? {
        condition.lock()
        defer { condition.unlock() }
        while pieces.isEmpty, !isEnded { condition.wait() }
        if pieces.isEmpty {
            if let failure { throw failure }
            return nil
        }
        let piece = pieces.removeFirst()
        condition.broadcast()
        return piece
    }

    func abandon() {
        condition.lock()
        isAbandoned = true
        condition.broadcast()
        condition.unlock()
    }

    private func put(_ piece: [UInt8]) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while pieces.count >= Self.lead, !isAbandoned { condition.wait() }
        if isAbandoned { return false }
        pieces.append(piece)
        condition.broadcast()
        return true
    }

    private func end(_ result: Result<Void, any Error>) {
        condition.lock()
        if case .failure(let error) = result { failure = error }
        isEnded = true
        condition.broadcast()
        condition.unlock()
    }
}

/// Pieces that a thread of their own makes, behind what a file begins with.
final class MadePieces: PieceSource {
    private let object: RewrittenObject
    private var head: [UInt8]

    init(_ object: RewrittenObject, head: [UInt8] = []) {
        self.object = object
        self.head = head
    }

    deinit { object.abandon() }

    func next(upTo _: Int) throws -> ByteBuffer? {
        if !head.isEmpty {
            defer { head = [] }
            return ByteBuffer(bytes: head)
        }
        return try object.next().map { ByteBuffer(bytes: $0) }
    }
}
