import Catalog
import Foundation

/// One key of the configuration: its type, default and range, from which the documentation is printed too.
struct Setting: Sendable {
    enum Kind: Sendable {
        case text
        case list
        case flag
        case integer(ClosedRange<Int>)
        /// Whole seconds.
        case seconds(ClosedRange<Int>)
        case choice([String])
        /// Any of these, separated by commas.
        case choices([String])
        /// Entries of `PrivatePolicy`, separated by backslashes, which no private creator has.
        case privateAttributes
    }

    let key: String
    let kind: Kind
    let defaultValue: String
    let about: String

    /// The environment variable that sets it.
    var variable: String {
        "HUIZHEN_"
            + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
    }

    /// The range in words.
    var range: String {
        switch kind {
        case .text: "text"
        case .list: "list, separated by commas"
        case .flag: "true or false"
        case .integer(let range): "\(range.lowerBound)...\(range.upperBound)"
        case .seconds(let range): "\(range.lowerBound)...\(range.upperBound) seconds"
        case .choice(let values): values.joined(separator: ", ")
        case .choices(let values): "any of \(values.joined(separator: ", ")), separated by commas"
        case .privateAttributes:
            "up to \(PrivatePolicy.entryLimit) of `LEVEL GGGGxxEE VR CREATOR`, separated by backslashes"
        }
    }

    static func list(_ value: String) -> [String] {
        value.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }

    static func privateAttributes(_ value: String) throws(PrivatePolicyFlaw) -> PrivatePolicy {
        try PrivatePolicy(
            value.split(separator: "\\").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty })
    }

    /// - Throws: what is wrong with the value.
    func check(_ value: String) throws(SettingsError) {
        switch kind {
        case .text, .list: return
        case .flag: if value != "true" && value != "false" { throw .outOfRange(self, value) }
        case .integer(let range), .seconds(let range):
            guard let number = Int(value), range.contains(number) else { throw .outOfRange(self, value) }
        case .choice(let values): if !values.contains(value) { throw .outOfRange(self, value) }
        case .choices(let values):
            if !Self.list(value).allSatisfy(values.contains) { throw .outOfRange(self, value) }
        case .privateAttributes:
            do throws(PrivatePolicyFlaw) { _ = try Self.privateAttributes(value) } catch {
                throw .refused(self, why: error.description)
            }
        }
    }
}

/// Why the configuration cannot be used.
enum SettingsError: Error, CustomStringConvertible {
    case outOfRange(Setting, String)
    case refused(Setting, why: String)
    case unknownKey(String, file: String)
    case unreadable(file: String, why: String)

    var description: String {
        switch self {
        case .outOfRange(let setting, let value):
            "\(setting.key) is \"\(value)\", but takes \(setting.range)"
        case .refused(let setting, let why): "\(setting.key): \(why)"
        case .unknownKey(let key, let file): "\(file) sets \(key), which no setting is called: see `huizhen settings`"
        case .unreadable(let file, let why): "\(file) cannot be read: \(why)"
        }
    }
}
