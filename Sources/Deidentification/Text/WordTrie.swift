/// Words that are looked for in a folded text at once.
struct WordTrie<Value: Sendable>: Sendable {
    private var children: [UInt64: Int32] = [:]
    private(set) var values: [Value?] = [nil]
    private var firstUnits = UnitSet()

    /// - Parameter unitCount: units of all words together, more or less.
    init(unitCount: Int = 0) {
        children.reserveCapacity(unitCount)
        values.reserveCapacity(unitCount)
    }

    var isEmpty: Bool { values.count == 1 }

    /// Enters a word; `combine` makes one of what is there already and the new value.
    mutating func insert(_ word: [UInt32], _ value: Value, combine: (Value, Value) -> Value = { $1 }) {
        guard let first = word.first else { return }
        firstUnits.insert(first)
        var node: Int32 = 0
        for unit in word { node = child(of: node, unit) ?? append(to: node, unit) }
        values[Int(node)] = values[Int(node)].map { combine($0, value) } ?? value
    }

    private mutating func append(to node: Int32, _ unit: UInt32) -> Int32 {
        values.append(nil)
        let made = Int32(values.count - 1)
        children[UInt64(node) << 32 | UInt64(unit)] = made
        return made
    }

    @inline(__always)
    func child(of node: Int32, _ unit: UInt32) -> Int32? { children[UInt64(node) << 32 | UInt64(unit)] }

    @inline(__always)
    func canBegin(with unit: UInt32) -> Bool { firstUnits.contains(unit) }

    /// The longest word that stands there, and its end.
    func longest(in units: [UInt32], at start: Int, isWhole: (Int) -> Bool) -> (end: Int, value: Value)? {
        guard start >= 0, start < units.count, canBegin(with: units[start]) else { return nil }
        var node: Int32 = 0
        var index = start
        var found: (Int, Value)?
        while index < units.count, let next = child(of: node, units[index]) {
            node = next
            index += 1
            if let value = values[Int(node)], isWhole(index) { found = (index, value) }
        }
        return found
    }
}
