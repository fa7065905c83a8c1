/// XML as it is written: elements, and attributes whose values are text whatever they hold.
struct XMLText {
    private(set) var text = ""

    mutating func open(_ name: String, _ attributes: [(String, String?)] = []) {
        start(name, attributes)
        text += ">"
    }

    mutating func close(_ name: String) { text += "</\(name)>" }

    mutating func empty(_ name: String, _ attributes: [(String, String?)] = []) {
        start(name, attributes)
        text += "/>"
    }

    mutating func element(_ name: String, _ value: String) {
        open(name)
        text += Self.escaped(value)
        close(name)
    }

    private mutating func start(_ name: String, _ attributes: [(String, String?)]) {
        text += "<\(name)"
        for (name, value) in attributes {
            guard let value else { continue }
            text += " \(name)=\"\(Self.escaped(value))\""
        }
    }

    /// One line of text: what XML 1.0 cannot hold becomes U+FFFD, line ends become spaces.
    static func escaped(_ value: String) -> String {
        var result = ""
        result.reserveCapacity(value.utf8.count)
        for scalar in value.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\t", "\n", "\r": result += " "
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
