/// What every number and identifier of a set of phantoms comes from.
///
/// No clock and no randomness: the same seed gives the same bytes on every machine.
public struct Seed: Hashable, Sendable {
    /// The seed of the committed phantoms.
    public static let committed = Seed(20_260_101)

    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    /// The identifier of what a name stands for: `2.25` and a name-based UUID. PS3.5 §B.2.
    public func uid(_ name: String) -> String {
        let digest = SHA256.digest(Array("huizhen phantom \(value) \(name)".utf8))
        var bits = digest.prefix(16).reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        // Version 8 (a hash of one's own choice) and the variant of RFC 9562.
        bits = bits & ~(UInt128(0xF) << 76) | UInt128(0x8) << 76
        bits = bits & ~(UInt128(0x3) << 62) | UInt128(0x2) << 62
        return "2.25.\(bits)"
    }

    /// A stream of numbers of its own for each name, so that one phantom's change leaves the others as they are.
    public func numbers(_ name: String) -> SplitMix64 {
        let digest = SHA256.digest(Array("huizhen numbers \(value) \(name)".utf8))
        return SplitMix64(seed: digest.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
