import Archive
import DICOM
import Deidentification

/// One object while it is de-identified: its bytes are appended, and what is made of them is kept back until the end.
/// Used by one thread.
public final class InstanceBeingReleased {
    private let output: SpoolOutput
    private var instance: InstanceDeidentification?

    init(_ deidentifier: Deidentifier, _ transferSyntax: TransferSyntax, spool: SealedSpool) {
        output = SpoolOutput(spool)
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
        return ReleasedInstance(header: header, spool: output.spool)
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
    private let spool: SealedSpool

    init(header: OutputHeader, spool: SealedSpool) {
        self.header = header
        self.spool = spool
    }

    public var byteCount: UInt64 { spool.byteCount }

    /// Gives the dataset in pieces of even length that last for the call.
    public func forEachPiece(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try spool.read(offset: 0, byteCount: spool.byteCount, body)
    }
}

/// Keeps what the engine gives.
private final class SpoolOutput: DeidentificationOutput {
    let spool: SealedSpool
    private(set) var header: OutputHeader?

    init(_ spool: SealedSpool) { self.spool = spool }

    func begin(_ header: OutputHeader) { self.header = header }

    func write(_ bytes: UnsafeRawBufferPointer) throws { try spool.append(bytes) }
}
