import COpenSSL
import Glibc
import Synchronization

/// A connection to a server of others, by one thread, with a time for every wait.
final class ClientStream {
    /// How often a wait looks whether it shall end.
    private static let slice: Int32 = 100

    /// OpenSSL writes to sockets without MSG_NOSIGNAL.
    private static let ignoresPipeSignal: Bool = {
        signal(SIGPIPE, SIG_IGN)
        return true
    }()

    private let descriptor: Int32
    private let tls: OpaquePointer?
    private let isStopped: () -> Bool
    private let patience: Duration
    private var plainByteCount: UInt64 = 0

    /// Connects.
    ///
    /// - Parameters:
    ///   - patience: how long nothing may move.
    ///   - isStopped: asked while waiting.
    init(
        host: String, port: UInt16, tls: ClientTLS?, patience: Duration, isStopped: @escaping () -> Bool
    ) throws(ReportingError) {
        _ = Self.ignoresPipeSignal
        self.isStopped = isStopped
        self.patience = patience
        descriptor = try Self.connect(host, port, patience, isStopped)
        do throws(ReportingError) { self.tls = try tls?.session(to: host) } catch {
            close(descriptor)
            throw error
        }
        guard let session = self.tls else { return }
        guard SSL_set_fd(session, descriptor) == 1 else { throw .untrusted("no TLS on this socket") }
        try shakeHands(session)
    }

    deinit {
        if let tls { SSL_free(tls) }
        close(descriptor)
    }

    private static func connect(
        _ host: String, _ port: UInt16, _ patience: Duration, _ isStopped: () -> Bool
    ) throws(ReportingError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0 else { throw .unreachable(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var last: Int32 = ENOENT
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
            let descriptor = socket(entry.pointee.ai_family, type, 0)
            guard descriptor >= 0 else {
                last = errno
                continue
            }
            if Glibc.connect(descriptor, entry.pointee.ai_addr, entry.pointee.ai_addrlen) != 0, errno != EINPROGRESS {
                last = errno
                close(descriptor)
                continue
            }
            let end = ContinuousClock.now + patience
            var isReady = false
            while !isReady, !isStopped(), ContinuousClock.now < end { isReady = poll(descriptor, Int16(POLLOUT)) }
            var failure: Int32 = isReady ? 0 : ETIMEDOUT
            var length = socklen_t(MemoryLayout<Int32>.size)
            if isReady { getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &failure, &length) }
            if failure == 0 {
                keepAlive(descriptor)
                return descriptor
            }
            last = failure
            close(descriptor)
            if isStopped() { throw .stopped }
        }
        throw .unreachable(String(cString: strerror(last)))
    }

    /// A silent network is found within about a minute.
    private static func keepAlive(_ descriptor: Int32) {
        let level = Int32(IPPROTO_TCP)
        for (level, name, value) in [
            (SOL_SOCKET, SO_KEEPALIVE, 1), (level, TCP_KEEPIDLE, 20), (level, TCP_KEEPINTVL, 10),
            (level, TCP_KEEPCNT, 3), (level, TCP_NODELAY, 1),
        ] as [(Int32, Int32, Int32)] {
            var value = value
            setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
        }
    }

    private static func poll(_ descriptor: Int32, _ events: Int16) -> Bool {
        var entry = pollfd(fd: descriptor, events: events, revents: 0)
        return Glibc.poll(&entry, 1, slice) > 0
    }

    private func wait(_ events: Int32, until end: ContinuousClock.Instant) throws(ReportingError) {
        while !Self.poll(descriptor, Int16(events)) {
            if isStopped() { throw .stopped }
            if ContinuousClock.now >= end { throw .lost("nothing moved for \(patience.components.seconds) s") }
        }
    }

    private func shakeHands(_ session: OpaquePointer) throws(ReportingError) {
        let end = ContinuousClock.now + patience
        while true {
            ERR_clear_error()
            let code = SSL_connect(session)
            if code == 1 { return }
            switch SSL_get_error(session, code) {
            case SSL_ERROR_WANT_READ: try wait(POLLIN, until: end)
            case SSL_ERROR_WANT_WRITE: try wait(POLLOUT, until: end)
            default:
                let verdict = SSL_get_verify_result(session)
                throw .untrusted(
                    verdict == Int(X509_V_OK)
                        ? "the handshake failed" : String(cString: X509_verify_cert_error_string(verdict)))
            }
        }
    }

    /// Hands everything over to the system; returns when it took the last byte.
    func write(_ bytes: [UInt8]) throws(ReportingError) {
        var done = 0
        var end = ContinuousClock.now + patience
        while done < bytes.count {
            // Small, so that a server which reads slowly is not taken for one that does not.
            let rest = Int32(min(bytes.count - done, 1 << 14))
            if let tls {
                ERR_clear_error()
                let code = bytes.withUnsafeBytes { SSL_write(tls, $0.baseAddress.map { $0 + done }, rest) }
                if code > 0 {
                    done += Int(code)
                    end = ContinuousClock.now + patience
                    continue
                }
                switch SSL_get_error(tls, code) {
                case SSL_ERROR_WANT_READ: try wait(POLLIN, until: end)
                case SSL_ERROR_WANT_WRITE: try wait(POLLOUT, until: end)
                default: throw .lost("the other side ended it")
                }
            } else {
                let count = bytes.withUnsafeBytes {
                    send(descriptor, $0.baseAddress.map { $0 + done }, Int(rest), Int32(MSG_NOSIGNAL))
                }
                if count > 0 {
                    done += count
                    plainByteCount += UInt64(count)
                    end = ContinuousClock.now + patience
                } else if errno == EAGAIN {
                    try wait(POLLOUT, until: end)
                } else if errno != EINTR {
                    throw .lost(String(cString: strerror(errno)))
                }
            }
        }
    }

    /// The next bytes; none at the end.
    func read(limit: Int) throws(ReportingError) -> [UInt8] {
        let end = ContinuousClock.now + patience
        while true {
            if let bytes = try readAtOnce(limit: limit) { return bytes }
            try wait(POLLIN, until: end)
        }
    }

    /// What is there to read now; none at the end, nil where nothing came.
    private func readAtOnce(limit: Int) throws(ReportingError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: limit)
        if let tls {
            ERR_clear_error()
            let code = bytes.withUnsafeMutableBytes { SSL_read(tls, $0.baseAddress, Int32(limit)) }
            if code > 0 { return Array(bytes.prefix(Int(code))) }
            switch SSL_get_error(tls, code) {
            case SSL_ERROR_ZERO_RETURN: return []
            case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return nil
            default: throw .lost("the other side ended it")
            }
        }
        let count = recv(descriptor, &bytes, limit, 0)
        if count >= 0 { return Array(bytes.prefix(count)) }
        if errno == EAGAIN || errno == EINTR { return nil }
        throw .lost(String(cString: strerror(errno)))
    }

    /// Whether the other side has ended the connection; what it says meanwhile is passed over.
    func hasEnded() -> Bool {
        while true {
            do throws(ReportingError) {
                guard let bytes = try readAtOnce(limit: 4096) else { return false }
                if bytes.isEmpty { return true }
            } catch { return true }
        }
    }

    /// Bytes handed to the system so far, and those of them that the other side's system has taken.
    var acknowledged: (written: UInt64, taken: UInt64) {
        let written = tls.map { BIO_number_written(SSL_get_wbio($0)) } ?? plainByteCount
        var waiting: Int32 = 0
        // SIOCOUTQ
        guard ioctl(descriptor, UInt(0x5411), &waiting) == 0 else { return (written, 0) }
        return (written, written - min(written, UInt64(max(0, waiting))))
    }

    /// Says that no more comes, and waits until the other side has read everything and ends it too.
    ///
    /// - Returns: whether it did within the time.
    func finish(within time: Duration) -> Bool {
        if let tls { SSL_shutdown(tls) }
        shutdown(descriptor, Int32(SHUT_WR))
        let end = ContinuousClock.now + time
        var bytes = [UInt8](repeating: 0, count: 4096)
        while ContinuousClock.now < end {
            guard Self.poll(descriptor, Int16(POLLIN)) else { continue }
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count == 0 { return true }
            if count < 0, errno != EAGAIN, errno != EINTR { return false }
        }
        return false
    }
}
