import BlobStore
import Glibc
import Keys

extension Archive {
    /// A place for what cannot be stored yet because something that comes later decides how.
    public func spool() throws(ArchiveError) -> SealedSpool {
        let blobs = blobs
        let reserve = settings.blobs.reserveByteCount
        return try SealedSpool(folder: directory) { Self.hasRoom(blobs, reserve: reserve) }
    }

    /// Whether more than `storage.reserve` is free: below it nothing is taken in, of whatever kind.
    public var hasRoom: Bool { Self.hasRoom(blobs, reserve: settings.blobs.reserveByteCount) }

    /// Bytes that can be taken in until no more than `storage.reserve` is free.
    public var spareByteCount: UInt64 {
        let free = freeByteCount
        return free - min(free, settings.blobs.reserveByteCount)
    }

    private static func hasRoom(_ blobs: BlobStore, reserve: UInt64) -> Bool {
        ((try? blobs.freeByteCount()) ?? 0) >= reserve
    }
}

/// Bytes beside memory: a file without a name, sealed with a key that only this process has, gone with its value.
///
/// Used by one thread at a time. Holds two pieces in memory; what fits in one never reaches the disk.
public final class SealedSpool {
    private static let pieceByteCount = 256 << 10
    private static let sealedByteCount = pieceByteCount + AuthenticatedCipher.tagByteCount
    /// Pieces after which room on the disk is looked at again.
    private static let checkedPieceCount = 64

    private let folder: String
    private let hasRoom: () -> Bool
    private let sealing: AuthenticatedCipher
    private let opening: AuthenticatedCipher
    private var file: OpenFile?
    /// Counts the times it was emptied: no nonce is used twice.
    private var generation: UInt32 = 0
    private var pieceCount = 0
    private var tail: [UInt8] = []
    private var held: (index: Int, bytes: [UInt8]) = (-1, [])
    /// Of `sealedByteCount` once a piece has gone to the disk: what fits in one never needs it.
    private var sealed: [UInt8] = []

    init(folder: String, hasRoom: @escaping () -> Bool) throws(ArchiveError) {
        self.folder = folder
        self.hasRoom = hasRoom
        do throws(KeyError) {
            let key = try SymmetricKey.random()
            sealing = try AuthenticatedCipher()
            opening = try AuthenticatedCipher()
            try sealing.load(key, for: .sealing)
            try opening.load(key, for: .opening)
        } catch { throw .keys(error) }
    }

    public var byteCount: UInt64 { UInt64(pieceCount) * UInt64(Self.pieceByteCount) + UInt64(tail.count) }

    /// - Throws: `.full` when the disk is below its reserve.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        var rest = bytes
        while !rest.isEmpty {
            let part = rest.prefix(Self.pieceByteCount - tail.count)
            tail += part
            rest = UnsafeRawBufferPointer(rebasing: rest[(rest.startIndex + part.count)...])
            if tail.count == Self.pieceByteCount { try write() }
        }
    }

    /// Gives a range that was appended, in pieces.
    public func read(
        offset: UInt64, byteCount: UInt64, _ give: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard offset <= self.byteCount, byteCount <= self.byteCount - offset else { throw ArchiveError.damaged }
        var next = offset
        let end = offset + byteCount
        while next < end {
            let index = Int(next / UInt64(Self.pieceByteCount))
            let start = Int(next % UInt64(Self.pieceByteCount))
            let count = Int(min(UInt64(Self.pieceByteCount - start), end - next))
            if index < pieceCount { try load(index) }
            let bytes = index < pieceCount ? held.bytes : tail
            try bytes.withUnsafeBytes { try give(UnsafeRawBufferPointer(rebasing: $0[start..<start + count])) }
            next += UInt64(count)
        }
    }

    /// Forgets everything.
    public func reset() {
        generation += 1
        pieceCount = 0
        tail = []
        held = (-1, [])
        try? file?.truncate(to: 0)
    }

    private func write() throws(ArchiveError) {
        if pieceCount.isMultiple(of: Self.checkedPieceCount), !hasRoom() { throw .full }
        if sealed.isEmpty { sealed = [UInt8](repeating: 0, count: Self.sealedByteCount) }
        let nonce = AuthenticatedCipher.Nonce(stream: generation, number: UInt64(pieceCount))
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        do throws(KeyError) {
            try tail.withUnsafeBufferPointer { plain throws(KeyError) in
                try sealed.withUnsafeMutableBufferPointer { target throws(KeyError) in
                    guard let address = UnsafeMutableRawBufferPointer(target).baseAddress else { return }
                    try sealing.seal(UnsafeRawBufferPointer(plain), nonce: nonce, associated: none, into: address)
                }
            }
        } catch { throw .keys(error) }
        do throws(SystemFailure) {
            if file == nil { file = try makeFile() }
            try file?.write(sealed, at: UInt64(pieceCount * sealed.count))
        } catch { throw ArchiveError(error, at: "a spool") }
        pieceCount += 1
        tail.removeAll(keepingCapacity: true)
    }

    private func load(_ index: Int) throws(ArchiveError) {
        if held.index == index { return }
        held.index = -1
        let offset = UInt64(index * sealed.count)
        do throws(SystemFailure) {
            let count = try sealed.withMutableRawBytes { (bytes) throws(SystemFailure) in
                try file?.read(into: bytes, at: offset) ?? 0
            }
            guard count == sealed.count else { throw SystemFailure(operation: "read", errno: EIO) }
        } catch { throw ArchiveError(error, at: "a spool") }
        var plain = held.bytes.isEmpty ? [UInt8](repeating: 0, count: Self.pieceByteCount) : held.bytes
        held.bytes = []
        let nonce = AuthenticatedCipher.Nonce(stream: generation, number: UInt64(index))
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        do throws(KeyError) {
            try sealed.withUnsafeBufferPointer { source throws(KeyError) in
                try plain.withUnsafeMutableBufferPointer { target throws(KeyError) in
                    let bytes = UnsafeRawBufferPointer(source)
                    guard let start = bytes.baseAddress, let address = UnsafeMutableRawBufferPointer(target).baseAddress
                    else { return }
                    try opening.open(
                        UnsafeRawBufferPointer(rebasing: bytes[..<Self.pieceByteCount]),
                        tag: start + Self.pieceByteCount, nonce: nonce, associated: none, into: address)
                }
            }
        } catch { throw .damaged }
        held = (index, plain)
    }

    private func makeFile() throws(SystemFailure) -> OpenFile {
        let path = folder + "/.spool-" + String(UInt64.random(in: .min ... .max), radix: 16)
        let file = try OpenFile(path, flags: O_RDWR | O_CREAT | O_EXCL)
        unlink(path)
        return file
    }
}
