import Glibc

/// The socket of one client, with times after which it counts as gone. Used by one thread; `interrupt` by any.
final class FileConnection: Sendable {
    private let descriptor: CInt

    /// Takes the descriptor over.
    init(_ descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// How long a byte is waited for, and how long the other side may take none.
    func setTimes(_ time: Duration) {
        var value = timeval(tv_sec: Int(time.components.seconds), tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &value, size)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &value, size)
    }

    /// Ends it from outside: the thread that waits for it wakes.
    func interrupt() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    /// Reads what has come, one byte at least.
    ///
    /// - Returns: how many bytes; 0 when there will be none.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count < 0 && errno == EINTR { continue }
            return max(count, 0)
        }
    }

    /// Exactly so many bytes; nil when they do not come in time.
    func receive(_ count: Int, until end: ContinuousClock.Instant) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            guard ContinuousClock.now < end else { return nil }
            let got = bytes.withUnsafeMutableBytes {
                receive(into: UnsafeMutableRawBufferPointer(rebasing: $0[filled...]))
            }
            guard got > 0 else { return nil }
            filled += got
        }
        return bytes
    }

    /// - Returns: whether all was taken.
    func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { all in
            var rest = all
            while !rest.isEmpty {
                let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                if count < 0 && errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
            return true
        }
    }
}
