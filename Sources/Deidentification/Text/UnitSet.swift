/// Units of folded texts, asked for with every unit of a text: a bit for each of the first 65,536, and a set of the others.
struct UnitSet: Sendable {
    private var bits = [UInt64](repeating: 0, count: 1024)
    private var others: Set<UInt32> = []

    init() {}

    /// The characters of a text, folded.
    init(characters: String) {
        for unit in FoldedText.units(of: characters) { insert(unit) }
    }

    mutating func insert(_ unit: UInt32) {
        if unit < 0x1_0000 { bits[Int(unit >> 6)] |= 1 << UInt64(unit & 63) } else { others.insert(unit) }
    }

    @inline(__always)
    func contains(_ unit: UInt32) -> Bool {
        unit < 0x1_0000
            ? bits[Int(unit >> 6)] >> UInt64(unit & 63) & 1 == 1
            : unit != FoldedText.barrier && !others.isEmpty && others.contains(unit)
    }
}
