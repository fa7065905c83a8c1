import Archive
import Catalog
import DICOM
import Foundation
import Keys
import Release

/// An object that was made to go out, de-identified or corrected: kept beside memory until it is sent.
final class ReleasedBytes: @unchecked Sendable {  // a spool has one reader at a time, behind the lock
    private enum Content {
        case released(ReleasedInstance)
        case spooled(SealedSpool)
    }

    private let content: Content
    private let lock = NSLock()
    let sopInstanceUID: String
    let sopClassUID: String
    let transferSyntaxUID: String

    init(_ released: ReleasedInstance) {
        content = .released(released)
        sopInstanceUID = released.header.sopInstanceUID
        sopClassUID = released.header.sopClassUID
        transferSyntaxUID = released.header.transferSyntax.uid
    }

    /// The object as its corrections want it.
    init(corrected object: StoredObject, archive: Archive) throws {
        let spool = try archive.spool()
        try archive.write(object, through: PieceBuffer()) { try spool.append($0) }
        content = .spooled(spool)
        sopInstanceUID = object.holding.sopInstanceUID
        sopClassUID = object.holding.sopClassUID
        transferSyntaxUID = object.holding.transferSyntaxUID
    }

    var byteCount: UInt64 {
        switch content {
        case .released(let released): released.byteCount
        case .spooled(let spool): spool.byteCount
        }
    }

    func sha256() throws -> [UInt8] {
        let digest = try SHA256Digest()
        try give(0, byteCount) { try digest.update($0) }
        return try digest.finish()
    }

    func read(_ offset: UInt64, into target: UnsafeMutableRawBufferPointer) throws(TransferError) {
        var done = 0
        do {
            try give(offset, UInt64(target.count)) { piece in
                UnsafeMutableRawBufferPointer(rebasing: target[done..<done + piece.count]).copyMemory(from: piece)
                done += piece.count
            }
        } catch let error as ArchiveError {
            throw .archive(error)
        } catch { throw .ours("a released object could not be read") }
    }

    private func give(
        _ offset: UInt64, _ byteCount: UInt64, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        lock.lock()
        defer { lock.unlock() }
        switch content {
        case .released(let released): try released.read(offset: offset, byteCount: byteCount, body)
        case .spooled(let spool): try spool.read(offset: offset, byteCount: byteCount, body)
        }
    }
}
