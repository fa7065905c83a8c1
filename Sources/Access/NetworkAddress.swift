import Glibc

/// An IPv4 or IPv6 address as 16 bytes; IPv4 in its mapped form, so that `::ffff:10.0.0.1` and `10.0.0.1` are one.
public struct NetworkAddress: Hashable, Sendable {
    let bytes: [UInt8]

    public init?(_ text: String) {
        // A zone (fe80::1%eth0) names an interface of this machine, not the peer.
        let text = text.prefix { $0 != "%" }
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, String(text), &four) == 1 {
            bytes = [UInt8](repeating: 0, count: 10) + [0xFF, 0xFF] + withUnsafeBytes(of: four.s_addr) { [UInt8]($0) }
        } else if inet_pton(AF_INET6, String(text), &six) == 1 {
            bytes = withUnsafeBytes(of: six) { [UInt8]($0) }
        } else {
            return nil
        }
    }

    var isIPv4: Bool { bytes[0..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF }

    /// 127.0.0.0/8 or ::1.
    public var isLoopback: Bool {
        isIPv4 ? bytes[12] == 127 : bytes[0..<15].allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// Whether this address lies in `network`, written `address` or `address/prefix`.
    func isIn(_ network: String) -> Bool {
        guard network.contains("/") else { return NetworkAddress(network) == self }
        guard let (base, bits) = Self.network(network), base.isIPv4 == isIPv4 else { return false }
        for bit in 0..<bits where (bytes[bit / 8] ^ base.bytes[bit / 8]) & (0x80 >> UInt8(bit % 8)) != 0 {
            return false
        }
        return true
    }

    /// Reads `address/prefix`; the count is that of the leading bits of the 16 bytes.
    static func network(_ text: String) -> (base: NetworkAddress, bitCount: Int)? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let base = NetworkAddress(String(parts[0])), let length = Int(parts[1]) else {
            return nil
        }
        guard (0...(base.isIPv4 ? 32 : 128)).contains(length) else { return nil }
        return (base, base.isIPv4 ? length + 96 : length)
    }

    /// The addresses of a host name. Asks the resolver: may block for seconds.
    static func resolve(_ host: String) -> [NetworkAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var result: [NetworkAddress] = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(
                entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST)
                == 0
            {
                let name = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if let address = NetworkAddress(name) { result.append(address) }
            }
            next = entry.pointee.ai_next
        }
        return result
    }
}
