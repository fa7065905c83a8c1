import Keys

/// Why bytes cannot be stored or had: what, where, what to do.
public enum BlobError: Error, Equatable, Sendable {
    /// Less than the reserve is free; nothing of the object remains.
    case full(freeByteCount: UInt64)
    /// The file system refused.
    case io(operation: String, errno: Int32)
    /// Stored bytes are not what was written.
    case damaged(pack: UInt32, byteOffset: UInt64, part: Part)
    /// The study's key was destroyed, and the object with it.
    case keyDestroyed
    /// No object is at this location, or no longer.
    case notFound
    /// A bound was passed: metadata, record or event is larger than may be.
    case tooLarge(part: Part, limit: UInt64)
    /// The calls came in another order than begin, append, finishContent, write, sync.
    case misused(operation: String)
    /// Other bytes lie there already.
    case differs
    /// The store was closed.
    case closed
    /// A key cannot be had.
    case key(KeyError)

    /// What of an object is meant.
    public enum Part: String, Equatable, Sendable {
        case header, content, metadata, record, event
    }
}

extension BlobError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .full(let freeByteCount):
            "the disk is full (\(freeByteCount >> 20) MiB free): make room or lower the reserve"
        case .io(let operation, let errno):
            "blob storage: \(operation) failed with errno \(errno): check the disk"
        case .damaged(let pack, let byteOffset, let part):
            "pack \(PackName.hexadecimal(pack)) is damaged at byte \(byteOffset) (\(part.rawValue)): "
                + "restore it from a backup or let the sender send again"
        case .keyDestroyed: "the object's study key was destroyed: the object is gone by intention"
        case .notFound: "no object at this location: it was removed, or the index is older than the packs; reindex"
        case .tooLarge(let part, let limit): "the \(part.rawValue) is larger than its limit of \(limit) bytes"
        case .misused(let operation): "\(operation) came out of order: this is an error in the program"
        case .differs: "a piece is not the one that came before: the object is to be sent anew"
        case .closed: "the blob store was closed: the service is stopping"
        case .key(let error): error.description
        }
    }
}

extension BlobError {
    /// Runs file work, whose failure for want of room is `.full`.
    static func wrapping<Result>(_ body: () throws(SystemFailure) -> Result) throws(BlobError) -> Result {
        do throws(SystemFailure) { return try body() } catch { throw BlobError(error) }
    }

    package init(_ failure: SystemFailure) {
        self =
            SystemFailure.noRoom.contains(failure.errno)
            ? .full(freeByteCount: 0) : .io(operation: failure.operation, errno: failure.errno)
    }

    /// Runs key work that writes, whose failure for want of room is `.full`.
    static func storing<Result>(_ body: () throws(KeyError) -> Result) throws(BlobError) -> Result {
        do throws(KeyError) { return try body() } catch {
            if case .io(_, let number) = error, SystemFailure.noRoom.contains(number) { throw .full(freeByteCount: 0) }
            throw .key(error)
        }
    }

    /// Runs key work.
    static func unlocking<Result>(_ body: () throws(KeyError) -> Result) throws(BlobError) -> Result {
        do throws(KeyError) { return try body() } catch {
            if error == .destroyed { throw .keyDestroyed }
            throw .key(error)
        }
    }
}
