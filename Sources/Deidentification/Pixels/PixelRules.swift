import DICOM
import Foundation

/// Which rectangles of which pictures are blanked: a JSON file of the site.
///
/// `{"rules": [{"name": "…", "when": [{"attribute": "Manufacturer", "contains": "GE"}], "blank": [[left, top, width,
/// height]], "cleans": ["text"]}]}`. A rule is followed when all its conditions hold. Scripts for CTP's
/// DicomPixelAnonymizer are read too; deid's recipes write both corners and must be rewritten.
public struct PixelRules: Sendable {
    public static let fileByteCountLimit = 8 << 20
    public static let ruleLimit = 20_000
    /// Conditions and rectangles of one rule.
    public static let partLimit = 256

    public static let none = PixelRules(rules: [])

    /// What is known of a picture once its rules are followed.
    public struct Outcome: Hashable, Sendable {
        public var regions: [PixelRegion] = []
        /// Whether a rule says that no text is left.
        public var cleansText = false
        /// Whether a rule says that nobody can be recognized any more.
        public var cleansFeatures = false
    }

    public enum Failure: Error, Hashable, Sendable, CustomStringConvertible {
        case json
        case tooMany(limit: Int)
        /// The rule, counted from 1.
        case rule(Int, why: String)

        public var description: String {
            switch self {
            case .json: "the pixel rules are no JSON of the form that Docs/DEIDENTIFICATION.md shows"
            case .tooMany(let limit): "the pixel rules are more than \(limit), or longer than can be read"
            case .rule(let number, let why): "pixel rule \(number): \(why)"
            }
        }
    }

    private struct Condition: Sendable {
        var tag: Tag
        var test: Test
        var isNegated: Bool

        enum Test: Sendable {
            case equals(String)
            case contains(String)
            case startsWith(String)
            case isPresent
        }

        func holds(_ header: Dataset) -> Bool {
            let values = header.strings(tag).map { Self.folded($0) }
            let found =
                switch test {
                case .equals(let text): values.contains(text)
                case .contains(let text): values.contains { $0.contains(text) }
                case .startsWith(let text): values.contains { $0.hasPrefix(text) }
                case .isPresent: values.contains { !$0.isEmpty }
                }
            return found != isNegated
        }

        static func folded(_ text: String) -> String {
            text.uppercased().trimmingCharacters(in: .whitespaces)
        }
    }

    private struct Rule: Sendable {
        var conditions: [Condition]
        var regions: [PixelRegion]
        var cleansText: Bool
        var cleansFeatures: Bool
    }

    private let rules: [Rule]

    private init(rules: [Rule]) { self.rules = rules }

    /// Reads a file.
    public init(json: [UInt8]) throws(Failure) {
        guard json.count <= Self.fileByteCountLimit else { throw .tooMany(limit: Self.ruleLimit) }
        guard let file = try? JSONDecoder().decode(File.self, from: Data(json)) else { throw .json }
        guard file.rules.count <= Self.ruleLimit else { throw .tooMany(limit: Self.ruleLimit) }
        var rules: [Rule] = []
        for (index, rule) in file.rules.enumerated() { rules.append(try Self.rule(rule, number: index + 1)) }
        self.rules = rules
    }

    /// Reads a script for CTP's DicomPixelAnonymizer. Its rules blank, and do not say that no text is left.
    public init(ctp: [UInt8]) throws(Failure) {
        guard ctp.count <= Self.fileByteCountLimit else { throw .tooMany(limit: Self.ruleLimit) }
        var rules: [Rule] = []
        for (index, written) in try PixelScript(ctp).rules.enumerated() {
            var conditions: [Condition] = []
            for test in written.tests { conditions.append(try Self.condition(test, number: index + 1)) }
            rules.append(
                Rule(conditions: conditions, regions: written.regions, cleansText: false, cleansFeatures: false))
        }
        self.rules = rules
    }

    private static func condition(_ test: PixelScript.Test, number: Int) throws(Failure) -> Condition {
        let number8 = test.attribute.count == 8 ? UInt32(test.attribute, radix: 16) : nil
        guard let tag = DICOM.Dictionary.tag(keyword: test.attribute) ?? number8.map({ Tag($0) }) else {
            throw .rule(number, why: "no attribute has the keyword \(test.attribute.prefix(64))")
        }
        let text = Condition.folded(test.value)
        switch test.method {
        case "equals", "equalsIgnoreCase":
            // Without a text: whether there is nothing.
            if text.isEmpty { return Condition(tag: tag, test: .isPresent, isNegated: !test.isNegated) }
            return Condition(tag: tag, test: .equals(text), isNegated: test.isNegated)
        case "contains", "containsIgnoreCase":
            return Condition(tag: tag, test: .contains(text), isNegated: test.isNegated)
        case "startsWith", "startsWithIgnoreCase":
            return Condition(tag: tag, test: .startsWith(text), isNegated: test.isNegated)
        default: throw .rule(number, why: "the method \(test.method.prefix(64)) is not known here")
        }
    }

    private struct File: Decodable {
        var rules: [Written]

        struct Written: Decodable {
            var name: String?
            var when: [WrittenCondition]
            var blank: [[Int]]
            var cleans: [String]?
        }

        struct WrittenCondition: Decodable {
            var attribute: String
            var equals: String?
            var contains: String?
            var startsWith: String?
            var isPresent: Bool?
            var not: Bool?
        }
    }

    private static func rule(_ rule: File.Written, number: Int) throws(Failure) -> Rule {
        guard rule.when.count <= partLimit, rule.blank.count <= partLimit else {
            throw .rule(number, why: "it has more than \(partLimit) conditions or rectangles")
        }
        guard !rule.when.isEmpty else { throw .rule(number, why: "it has no condition") }
        var result = Rule(conditions: [], regions: [], cleansText: false, cleansFeatures: false)
        for written in rule.when {
            guard let tag = DICOM.Dictionary.tag(keyword: written.attribute) else {
                throw .rule(number, why: "no attribute has the keyword \(written.attribute.prefix(64))")
            }
            let test: Condition.Test
            switch (written.equals, written.contains, written.startsWith, written.isPresent) {
            case (let text?, nil, nil, nil): test = .equals(Condition.folded(text))
            case (nil, let text?, nil, nil): test = .contains(Condition.folded(text))
            case (nil, nil, let text?, nil): test = .startsWith(Condition.folded(text))
            case (nil, nil, nil, true): test = .isPresent
            default: throw .rule(number, why: "each condition has one of equals, contains, startsWith and isPresent")
            }
            result.conditions.append(Condition(tag: tag, test: test, isNegated: written.not ?? false))
        }
        for numbers in rule.blank {
            guard numbers.count == 4, numbers.allSatisfy({ (0...0xFFFF).contains($0) }), numbers[2] > 0, numbers[3] > 0
            else { throw .rule(number, why: "a rectangle has left, top, width and height in pixels") }
            result.regions.append(
                PixelRegion(left: numbers[0], top: numbers[1], width: numbers[2], height: numbers[3]))
        }
        for word in rule.cleans ?? [] {
            switch word {
            case "text": result.cleansText = true
            case "features": result.cleansFeatures = true
            default: throw .rule(number, why: "cleans is text, features or both")
            }
        }
        return result
    }

    /// Whether there is anything to blank in a picture.
    public func hasRegion(for header: Dataset) -> Bool {
        rules.contains { rule in !rule.regions.isEmpty && rule.conditions.allSatisfy { $0.holds(header) } }
    }

    /// What the rules say of a picture.
    public func outcome(for header: Dataset) -> Outcome {
        var result = Outcome()
        for rule in rules where rule.conditions.allSatisfy({ $0.holds(header) }) {
            result.regions += rule.regions
            result.cleansText = result.cleansText || rule.cleansText
            result.cleansFeatures = result.cleansFeatures || rule.cleansFeatures
        }
        return result
    }
}
