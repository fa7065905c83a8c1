import Glibc

/// A TCP client or server connection that sends any bytes it likes.
final class RawPeer {
    struct Failed: Error {}

    private(set) var descriptor: CInt

    init(descriptor: CInt) { self.descriptor = descriptor }

    /// Connects to an address of IPv4, 127.0.0.1 by default.
    convenience init(port: UInt16, host: UInt32 = 0x7F00_0001) throws {
        // Programs that other tests start at this moment would keep the connection open beyond `close`.
        let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = host.bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failed() }
        self.init(descriptor: descriptor)
        var limit = timeval(tv_sec: 15, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    func close() {
        guard descriptor >= 0 else { return }
        _ = Glibc.close(descriptor)
        descriptor = -1
    }

    func write(_ bytes: [UInt8]) { _ = send(descriptor, bytes, bytes.count, CInt(MSG_NOSIGNAL)) }

    /// All that comes until the other side closes or falls silent for long.
    func readToEnd() -> [UInt8] {
        var result: [UInt8] = []
        while let part = readSome(4096) { result += part }
        return result
    }

    func read(_ count: Int) -> [UInt8] {
        var result: [UInt8] = []
        while result.count < count, let part = readSome(count - result.count) { result += part }
        return result
    }

    /// Whether the other side ended the connection, by whatever means.
    var isClosedByPeer: Bool {
        var byte: UInt8 = 0
        let count = recv(descriptor, &byte, 1, 0)
        return count == 0 || (count < 0 && errno != EAGAIN)
    }

    private func readSome(_ count: Int) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: count)
        let received = recv(descriptor, &buffer, count, 0)
        return received > 0 ? Array(buffer.prefix(received)) : nil
    }
}

/// PDUs written by hand. PS3.8 §9.3.
enum RawPDU {
    static func pdu(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
        [type, 0] + bigEndian(UInt32(body.count)) + body
    }

    static func item(_ type: UInt8, _ content: [UInt8]) -> [UInt8] {
        [type, 0, UInt8(content.count >> 8), UInt8(content.count & 0xff)] + content
    }

    static func title(_ text: String) -> [UInt8] {
        Array(text.utf8) + [UInt8](repeating: 0x20, count: 16 - text.utf8.count)
    }

    static func context(
        _ id: UInt8, abstractSyntax: String = SOPClass.verification,
        transferSyntaxes: [String] = [Syntax.implicitLittleEndian]
    ) -> [UInt8] {
        item(
            0x20,
            [id, 0, 0, 0] + item(0x30, Array(abstractSyntax.utf8))
                + transferSyntaxes.flatMap { item(0x40, Array($0.utf8)) })
    }

    static func userInformation(maximumPDU: UInt32 = 16384, more: [UInt8] = []) -> [UInt8] {
        item(0x50, item(0x51, bigEndian(maximumPDU)) + item(0x52, Array("1.2.3".utf8)) + more)
    }

    static func request(
        protocolVersion: UInt16 = 1, called: String = "TESTSCP", calling: String = "RAW",
        applicationContext: String = "1.2.840.10008.3.1.1.1", contexts: [[UInt8]] = [context(1)],
        userInformation: [UInt8] = userInformation()
    ) -> [UInt8] {
        let fixed = [UInt8(protocolVersion >> 8), UInt8(protocolVersion & 0xff), 0, 0] + title(called) + title(calling)
        return pdu(
            0x01,
            fixed + [UInt8](repeating: 0, count: 32) + item(0x10, Array(applicationContext.utf8))
                + contexts.flatMap { $0 } + userInformation)
    }

    static func data(contextID: UInt8 = 1, isCommand: Bool = true, isLast: Bool = true, _ bytes: [UInt8]) -> [UInt8] {
        let flags: UInt8 = (isCommand ? 1 : 0) | (isLast ? 2 : 0)
        return pdu(0x04, bigEndian(UInt32(bytes.count + 2)) + [contextID, flags] + bytes)
    }

    static let releaseRequest = pdu(0x05, [0, 0, 0, 0])
    static let releaseReply = pdu(0x06, [0, 0, 0, 0])

    static func abort(source: UInt8, reason: UInt8) -> [UInt8] { pdu(0x07, [0, 0, source, reason]) }

    static func bigEndian(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
    }
}
