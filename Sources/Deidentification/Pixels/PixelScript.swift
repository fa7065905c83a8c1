/// Reads the rectangles of a script for CTP's DicomPixelAnonymizer: `{ condition } (left,top,width,height)…`, with any text
/// between. In a condition `*` is and, `+` is or, `!` turns one test round; `Keyword.equals("…")` and the like are tests.
struct PixelScript {
    /// A test of one attribute.
    struct Test: Hashable {
        /// A keyword, or eight hexadecimal digits.
        var attribute: String
        var method: String
        var value: String
        var isNegated: Bool
    }

    /// Each a list of tests that hold together, and the rectangles then.
    private(set) var rules: [(tests: [Test], regions: [PixelRegion])] = []

    /// Parentheses within parentheses.
    private static let depthLimit = 16

    private let bytes: [UInt8]
    private var at = 0
    /// Blocks that were begun.
    private var number = 0

    init(_ bytes: [UInt8]) throws(PixelRules.Failure) {
        self.bytes = bytes
        while let start = bytes[at...].firstIndex(of: UInt8(ascii: "{")) {
            at = start + 1
            number += 1
            let alternatives = try either(depth: 0)
            skipSpaces()
            guard take("}") else { throw failure("its condition does not end") }
            let regions = try self.regions()
            if regions.isEmpty { continue }
            for tests in alternatives { rules.append((tests, regions)) }
            guard rules.count <= PixelRules.ruleLimit else { throw .tooMany(limit: PixelRules.ruleLimit) }
        }
    }

    private func failure(_ why: String) -> PixelRules.Failure { .rule(number, why: why) }

    private mutating func skipSpaces() {
        while at < bytes.count, bytes[at] <= 0x20 { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    // MARK: Conditions

    private mutating func either(depth: Int) throws(PixelRules.Failure) -> [[Test]] {
        var result = try both(depth: depth)
        skipSpaces()
        while take("+") {
            result += try both(depth: depth)
            guard result.count <= PixelRules.partLimit else { throw failure("it has too many alternatives") }
            skipSpaces()
        }
        return result
    }

    private mutating func both(depth: Int) throws(PixelRules.Failure) -> [[Test]] {
        var result = try one(depth: depth)
        skipSpaces()
        while take("*") {
            let others = try one(depth: depth)
            guard result.count * others.count <= PixelRules.partLimit else {
                throw failure("it has too many alternatives")
            }
            result = result.flatMap { left in others.map { left + $0 } }
            guard result.allSatisfy({ $0.count <= PixelRules.partLimit }) else {
                throw failure("it has too many tests")
            }
            skipSpaces()
        }
        return result
    }

    private mutating func one(depth: Int) throws(PixelRules.Failure) -> [[Test]] {
        skipSpaces()
        let isNegated = take("!")
        skipSpaces()
        if take("(") {
            guard !isNegated, depth < Self.depthLimit else { throw failure("only single tests can be turned round") }
            let result = try either(depth: depth + 1)
            skipSpaces()
            guard take(")") else { throw failure("a parenthesis is not closed") }
            return result
        }
        return [[try test(isNegated: isNegated)]]
    }

    private mutating func test(isNegated: Bool) throws(PixelRules.Failure) -> Test {
        let isNumbered = take("[")
        let attribute = word { isNumbered ? $0 != UInt8(ascii: "]") : Self.isLetter($0) }
            .filter { $0.isLetter || $0.isNumber }
        if isNumbered, !take("]") { throw failure("an attribute's number does not end") }
        skipSpaces()
        guard !attribute.isEmpty, take(".") else { throw failure("a test names an attribute and a method") }
        let method = word(Self.isLetter)
        skipSpaces()
        guard take("(") else { throw failure("a method has a text in parentheses") }
        skipSpaces()
        var value = ""
        if take("\"") {
            value = word { $0 != UInt8(ascii: "\"") }
            guard take("\"") else { throw failure("a text does not end") }
        }
        skipSpaces()
        guard take(")") else { throw failure("a parenthesis is not closed") }
        return Test(attribute: attribute, method: method, value: value, isNegated: isNegated)
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private mutating func word(_ belongs: (UInt8) -> Bool) -> String {
        let start = at
        while at < bytes.count, at - start < 1024, belongs(bytes[at]) { at += 1 }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    // MARK: Rectangles

    private mutating func regions() throws(PixelRules.Failure) -> [PixelRegion] {
        var result: [PixelRegion] = []
        while true {
            skipSpaces()
            let start = at
            guard take("(") else { return result }
            let text = word { $0 != UInt8(ascii: ")") && $0 != 0x0A }
            let numbers = text.split(separator: ",").compactMap { Int($0.filter { !$0.isWhitespace }) }
            guard take(")"), numbers.count == 4, numbers.allSatisfy({ (0...0xFFFF).contains($0) }) else {
                // Words in parentheses are none of the rule's.
                at = start + 1
                return result
            }
            guard result.count < PixelRules.partLimit else { throw failure("it has too many rectangles") }
            // Some write a rectangle of no size to name what needs no blanking.
            if numbers[2] > 0, numbers[3] > 0 {
                result.append(PixelRegion(left: numbers[0], top: numbers[1], width: numbers[2], height: numbers[3]))
            }
        }
    }
}
