/// The UIDs of one generated study: deterministic, all of one length, so that they can be exchanged in place.
///
/// PS3.5 §B.2: `2.25.` and a number below 2^128. A leading 1 and 38 digits always are.
public struct StudyIdentity: Equatable, Sendable {
    /// Bytes of each UID; even, so that none is padded.
    public static let uidByteCount = 44

    private let prefix: String

    /// - Parameters:
    ///   - seed: the run's seed.
    ///   - name: what is generated; two names never share a UID.
    ///   - generation: counts the renewals.
    public init(seed: UInt64, name: String, generation: Int) {
        var random = SplitMix64(state: seed)
        for byte in name.utf8 { random = SplitMix64(state: random.next() ^ UInt64(byte)) }
        random = SplitMix64(state: random.next() ^ UInt64(generation))
        let digits = (0..<30).map { _ in String(random.next() % 10) }.joined()
        prefix = "2.25.1" + digits
    }

    public var study: String { prefix + "10000000" }
    public var series: String { prefix + "20000000" }

    /// - Parameter index: from 0 to 9,999,999.
    public func instance(_ index: Int) -> String {
        let number = String(index)
        return prefix + "3" + String(repeating: "0", count: 7 - number.count) + number
    }
}

/// A small seeded generator: the same seed makes the same test data on every machine.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
