/// The name of a file within a file-set: up to eight components. PS3.10 §8.2.
public struct FileID: Hashable, Sendable {
    /// PS3.10 §8.2.
    public static let componentCountLimit = 8
    /// Characters of one component that may be written. PS3.10 §8.2.
    public static let characterCountLimit = 8
    /// Bytes of one component that may be read; media are met that keep to no rule.
    public static let readByteCountLimit = 255
    /// Components that may be read.
    public static let readComponentCountLimit = 32

    public let components: [String]

    /// A name to be written: A to Z, 0 to 9 and the underscore. PS3.10 §8.5.
    public init?(_ components: [String]) {
        guard (1...Self.componentCountLimit).contains(components.count) else { return nil }
        for component in components {
            guard (1...Self.characterCountLimit).contains(component.utf8.count) else { return nil }
            guard component.utf8.allSatisfy(Self.isWritable) else { return nil }
        }
        self.components = components
    }

    /// A name that a DICOMDIR gives, which may be against the rules but not lead out of the file-set.
    ///
    /// Nil for a component that is empty, a dot or two, or holds a separator or a control character.
    public init?(read components: [String]) {
        guard (1...Self.readComponentCountLimit).contains(components.count) else { return nil }
        for component in components {
            guard (1...Self.readByteCountLimit).contains(component.utf8.count) else { return nil }
            guard component != ".", component != "..", Self.folded(component) != "" else { return nil }
            guard component.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") }) else { return nil }
        }
        self.components = components
    }

    private static func isWritable(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// The path of the file below the file-set's folder.
    public var path: String { components.joined(separator: "/") }

    /// The value of (0004,1500).
    public var value: String { components.joined(separator: "\\") }

    /// What two names have in common that mean the same file.
    public var key: String { Self.key(ofPath: components) }

    /// The key of a file's path below the file-set's folder.
    ///
    /// Systems show a name of ISO 9660 in small letters, with a version number, or with a dot at its end.
    public static func key(ofPath components: [String]) -> String {
        components.map(folded).joined(separator: "/")
    }

    private static func folded(_ component: String) -> String {
        var text = Substring(component)
        if let semicolon = text.lastIndex(of: ";"), text[text.index(after: semicolon)...].allSatisfy(\.isNumber) {
            text = text[..<semicolon]
        }
        while text.last == "." || text.last == " " { text.removeLast() }
        return text.uppercased()
    }
}
