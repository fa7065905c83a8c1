import Access
import Archive
import Keys
import NIOCore

/// Why a transfer, or a part of it, did not come about; without a UID or a value of a patient.
public enum TransferError: Error, Sendable, CustomStringConvertible {
    /// The other side cannot be reached, or stopped answering; trying again may help.
    case unreachable(String)
    /// The other side cannot take it now: it is busy or stopping.
    case busy(String)
    /// The disk of whoever receives is full.
    case full
    /// Something here stands in the way for now, a full disk for instance; trying again may help.
    case hindered(String)
    /// The other side has forgotten what was offered; it is to be offered again.
    case forgotten
    /// It is not to be: the other side will not take it, or what is asked cannot be.
    case refused(String)
    /// What came is not what was announced, or breaks a bound.
    case malformed(String)
    /// We were asked to stop.
    case interrupted
    case archive(ArchiveError)
    /// Something of ours failed: a key, a database, an object that is not released.
    case ours(String)

    public var description: String {
        switch self {
        case .unreachable(let why): "the other side cannot be reached: \(why)"
        case .busy(let why): "the other side cannot take it now: \(why)"
        case .full: "the receiver cannot take it now: its disk is full"
        case .hindered(let why): why
        case .forgotten: "the other side has forgotten what was offered"
        case .refused(let why): why
        case .malformed(let why): "what came cannot be used: \(why)"
        case .interrupted: "stopped"
        case .archive(let error): "\(error)"
        case .ours(let why): why
        }
    }

    /// To say to the other side.
    init(_ denial: Denial) {
        switch denial {
        case .refused(let why): self = .refused(why)
        case .notRecorded: self = .busy("the act cannot be recorded there")
        }
    }

    /// The same, where our own disk is the sender's.
    var atSender: TransferError {
        switch self {
        case .full, .archive(.full): .hindered("the disk here is full")
        default: self
        }
    }

    /// SHA-256.
    static func digest(of bytes: UnsafeRawBufferPointer) throws(TransferError) -> [UInt8] {
        do throws(KeyError) { return try SHA256Digest.of(bytes) } catch { throw .ours("a digest could not be made") }
    }
}

extension ByteBuffer {
    /// The bytes that can be read; NIO's own lets no typed error through.
    func withRawBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(TransferError) -> Result
    ) throws(TransferError) -> Result {
        var outcome: Swift.Result<Result, TransferError>?
        withUnsafeReadableBytes { bytes in
            do throws(TransferError) { outcome = .success(try body(bytes)) } catch { outcome = .failure(error) }
        }
        guard let outcome else { throw .ours("bytes that cannot be read") }
        return try outcome.get()
    }
}
