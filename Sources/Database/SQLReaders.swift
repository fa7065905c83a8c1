import Dispatch
import Synchronization

/// Lends readers of one file, the one that was used last first. Safe from any thread.
///
/// GRDB's own pool switches threads several times for each read when many read at a time, which costs more than a
/// short query.
final class SQLReaders: Sendable {
    private let path: String
    private let cacheByteCount: Int
    private let room: DispatchSemaphore
    private let idle = Mutex<[SQLReader]>([])

    /// - Parameter count: readers at a time; further ones wait.
    init(path: String, count: Int, cacheByteCount: Int) {
        self.path = path
        self.cacheByteCount = cacheByteCount
        room = DispatchSemaphore(value: count)
    }

    /// Reads one state of the file.
    func read<T>(_ body: (SQLReader) throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        room.wait()
        defer { room.signal() }
        let lent = idle.withLock { $0.popLast() }
        let reader = if let lent { lent } else { try SQLReader(path: path, cacheByteCount: cacheByteCount) }
        try reader.begin()
        let result: Result<T, DatabaseError>
        do throws(DatabaseError) { result = .success(try body(reader)) } catch { result = .failure(error) }
        // One that cannot end what it began is closed.
        if reader.end() { idle.withLock { $0.append(reader) } }
        return try result.get()
    }

    /// Closes those that nobody uses.
    func close() { idle.withLock { $0.removeAll() } }
}
