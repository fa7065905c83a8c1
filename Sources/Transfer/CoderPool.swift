import Synchronization

/// Compressors that are lent: making one takes a megabyte and its time.
final class CoderPool: Sendable {
    private let free = Mutex<[Zstandard]>([])

    func use<T>(_ body: (Zstandard) throws(TransferError) -> T) throws(TransferError) -> T {
        let lent = free.withLock { $0.popLast() }
        let coder = if let lent { lent } else { try Zstandard() }
        // Never more than were in use at once, which is one a thread.
        defer { free.withLock { $0.append(coder) } }
        return try body(coder)
    }
}
