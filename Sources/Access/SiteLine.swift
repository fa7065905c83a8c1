/// How a site is reached that studies are transferred with: the line to it, and what it proves itself by.
public struct SiteLine: Sendable, Equatable, Codable {
    /// Port of its transfer door at the peer's first address; nil: it only calls us.
    public var port: UInt16?
    /// Its certificate in PEM; no other is taken for it, whoever vouches for that.
    public var certificate: String
    /// Bytes a second that go to it at most; nil for no bound of its own.
    public var rate: Int?

    public static let certificateByteCountLimit = 16 << 10
    public static let rateRange = 1 << 10...1 << 40

    public init(port: UInt16?, certificate: String, rate: Int? = nil) {
        self.port = port
        self.certificate = certificate
        self.rate = rate
    }

    /// - Throws: `.invalid` with what is wrong.
    func check(_ peer: Peer) throws(AccessError) {
        guard certificate.utf8.count <= Self.certificateByteCountLimit else {
            throw .invalid("a site's certificate has at most \(Self.certificateByteCountLimit) bytes")
        }
        guard peer.certificates?.fingerprints.count == 1, peer.certificates?.allowsAny == false,
            peer.certificates?.allowsNone == false, peer.certificates?.names.isEmpty == true
        else { throw .invalid("a site is known by one certificate and nothing else") }
        if let rate, !Self.rateRange.contains(rate) {
            let range = Self.rateRange
            throw .invalid("a site's rate is \(range.lowerBound) to \(range.upperBound) bytes a second")
        }
        guard peer.admission == nil else {
            throw .invalid("what a site sends is not de-identified on its way in: have the site do it")
        }
    }
}
