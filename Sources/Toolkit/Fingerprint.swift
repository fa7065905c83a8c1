import CDCMTK

/// A certificate's SHA-256 fingerprint.
public struct Fingerprint: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = Int(HZ_TLS_FINGERPRINT_BYTE_COUNT)

    /// 32 bytes.
    public let bytes: [UInt8]

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// Reads 64 hexadecimal digits, with colons between them or without.
    public init?(_ text: String) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: ":") }
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    /// Of the first certificate in a PEM file.
    ///
    /// - Throws: `.tlsFile`.
    public init(certificateAt path: String) throws(AssociationError) {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        try check(unsafe hz_tls_fingerprint(path, &bytes))
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The other side's certificate, as the handshake found it.
public struct PeerCertificate: Equatable, Sendable {
    public let fingerprint: Fingerprint
    /// Its chain ends in a configured authority and every check passed. If not, it is here because it is pinned.
    public let isTrusted: Bool
    /// Of its SubjectAltName: DNS names in lower case, addresses, URIs; at most 64.
    public let names: [String]

    public init(fingerprint: Fingerprint, isTrusted: Bool, names: [String]) {
        self.fingerprint = fingerprint
        self.isTrusted = isTrusted
        self.names = names
    }
}

extension PeerCertificate {
    init?(_ association: OpaquePointer) {
        let found = unsafe hz_association_certificate(association)
        guard found.isPresent else { return nil }
        fingerprint = Fingerprint(bytes: unsafe withUnsafeBytes(of: found.fingerprint) { unsafe Array($0) })
        isTrusted = found.isTrusted
        names = (0..<found.nameCount).map { index in
            unsafe String(cString: hz_association_certificate_name(association, index))
        }
    }
}
