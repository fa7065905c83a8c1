import Archive
import DICOM
import Deidentification

/// One object while it is de-identified: its bytes are appended, and what is made of them is kept back until the end.
/// Used by one thread.
public final class InstanceBeingReleased {
    private let output: SpoolOutput
    private var instance: InstanceDeidentification?

    init(_ deidentifier: Deidentifier, _ transferSyntax: TransferSyntax, byteCount: UInt64, archive: Archive) {
        output = SpoolOutput(archive, expectedByteCount: byteCount)
        instance = deidentifier.instance(transferSyntax: transferSyntax, isReporting: false, output: output)
    }

    /// The next bytes of the dataset.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(ReleaseError) {
        do throws(DeidentificationError) { try instance?.feed(bytes) } catch { throw Self.error(error) }
    }

    /// - Throws: `.quarantined`; nothing of the object is kept then.
    public func finish() throws(ReleaseError) -> ReleasedInstance {
        guard let instance = instance.take(), let header = try Self.finished(instance, output) else {
            throw .quarantined(.truncated)
        }
        return ReleasedInstance(header: header, held: output.held, spool: output.spool)
    }

    private static func finished(
        _ instance: consuming InstanceDeidentification, _ output: SpoolOutput
    ) throws(ReleaseError) -> OutputHeader? {
        do throws(DeidentificationError) { _ = try instance.finish() } catch { throw Self.error(error) }
        return output.header
    }

    private static func error(_ error: DeidentificationError) -> ReleaseError {
        switch error {
        case .quarantined(let reason): .quarantined(reason)
        case .output(let error as ArchiveError): .archive(error)
        case .output: .archive(.damaged)
        }
    }
}

/// An object that may go out.
public struct ReleasedInstance {
    public let header: OutputHeader
    private let held: [UInt8]
    private let spool: SealedSpool?

    init(header: OutputHeader, held: [UInt8], spool: SealedSpool?) {
        self.header = header
        self.held = held
        self.spool = spool
    }

    public var byteCount: UInt64 { UInt64(held.count) + (spool?.byteCount ?? 0) }

    /// Gives the dataset in pieces of even length that last for the call.
    public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        for offset in stride(from: 0, to: byteCount, by: Self.pieceByteCount) {
            try read(
                offset: offset, byteCount: min(UInt64(Self.pieceByteCount), byteCount - offset), body)
        }
    }

    private static let pieceByteCount = 256 << 10

    /// Preamble and file meta information. PS3.10 §7.1.
    public var fileMeta: [UInt8] { header.fileMeta }

    public var transferSyntax: TransferSyntax { header.transferSyntax }

    /// Gives a range of the dataset, in pieces that last for the call.
    public func read(
        offset: UInt64, byteCount: UInt64, _ give: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        let heldCount = UInt64(held.count)
        let end = offset + byteCount
        if offset < heldCount {
            try held.withUnsafeBytes {
                try give(UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<Int(min(end, heldCount))]))
            }
        }
        guard end > heldCount, let spool else { return }
        let start = max(offset, heldCount) - heldCount
        try spool.read(offset: start, byteCount: end - heldCount - start, give)
    }
}

/// Keeps what the engine gives: the beginning in memory, and beside it, sealed, what has no room there.
private final class SpoolOutput: DeidentificationOutput {
    /// Bytes of one object in memory; even, so that every piece is.
    private static let heldByteCount = 4 << 20

    private let archive: Archive
    private let expectedByteCount: UInt64
    private(set) var header: OutputHeader?
    private(set) var held: [UInt8] = []
    private(set) var spool: SealedSpool?

    init(_ archive: Archive, expectedByteCount: UInt64) {
        self.archive = archive
        self.expectedByteCount = expectedByteCount
    }

    func begin(_ header: OutputHeader) {
        self.header = header
        held.reserveCapacity(Int(min(expectedByteCount, UInt64(Self.heldByteCount))))
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        let count = spool == nil ? min(bytes.count, Self.heldByteCount - held.count) : 0
        held += UnsafeRawBufferPointer(rebasing: bytes[..<count])
        let rest = UnsafeRawBufferPointer(rebasing: bytes[count...])
        if rest.isEmpty { return }
        if spool == nil { spool = try archive.spool() }
        try spool?.append(rest)
    }
}
