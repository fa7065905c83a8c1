import Foundation
import Glibc
import Synchronization

/// Connections that have asked for much and take one byte of it each second.
final class SlowReaders: Sendable {
    private let isRunning = Atomic(true)
    private let lost = Atomic(0)
    private let done = DispatchSemaphore(value: 0)

    /// Asks on every connection and begins to read.
    init(count: Int, door: WebDoor, request: [UInt8]) throws(BenchError) {
        var connections: [WebConnection] = []
        for _ in 0..<count {
            let connection = try WebConnection(port: door.port)
            try connection.send(request)
            connections.append(connection)
        }
        nonisolated(unsafe) let all = connections
        Thread.detachNewThread { [self] in read(all) }
    }

    /// Ends it.
    ///
    /// - Returns: how many connections the server had given up.
    func finish() -> Int {
        isRunning.store(false, ordering: .relaxed)
        done.wait()
        return lost.load(ordering: .relaxed)
    }

    private func read(_ connections: [WebConnection]) {
        var open = connections.map { $0 }
        while isRunning.load(ordering: .relaxed) {
            open.removeAll { connection in
                var byte: UInt8 = 0
                let count = recv(connection.socket, &byte, 1, Int32(MSG_DONTWAIT))
                let isLost = count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)
                if isLost { lost.wrappingAdd(1, ordering: .relaxed) }
                return isLost
            }
            Thread.sleep(forTimeInterval: 1)
        }
        done.signal()
    }
}
