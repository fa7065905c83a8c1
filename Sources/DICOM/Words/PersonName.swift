/// A person's name in its component groups. PS3.5 §6.2.1.
public struct PersonName: Hashable, Sendable {
    /// Family, given and middle name, prefix and suffix, separated by `^`, in characters of the alphabet.
    public var alphabetic: String
    /// The same in ideographs.
    public var ideographic: String
    /// The same in a phonetic script.
    public var phonetic: String

    public init(alphabetic: String = "", ideographic: String = "", phonetic: String = "") {
        self.alphabetic = alphabetic
        self.ideographic = ideographic
        self.phonetic = phonetic
    }

    /// Reads one value of VR PN; what follows a third `=` is left out.
    public init(_ value: some StringProtocol) {
        var groups = value.split(separator: "=", maxSplits: 3, omittingEmptySubsequences: false)
            .map { Self.trimmed(Substring($0)) }
        while groups.count < 3 { groups.append("") }
        self.init(alphabetic: groups[0], ideographic: groups[1], phonetic: groups[2])
    }

    public var isEmpty: Bool { alphabetic.isEmpty && ideographic.isEmpty && phonetic.isEmpty }

    /// The value of VR PN, without empty groups at its end.
    public var value: String {
        if !phonetic.isEmpty { return "\(alphabetic)=\(ideographic)=\(phonetic)" }
        return ideographic.isEmpty ? alphabetic : "\(alphabetic)=\(ideographic)"
    }

    private static func trimmed(_ group: Substring) -> String {
        var bytes = group.utf8
        while let last = bytes.last, last == 0x20 || last == 0 { bytes.removeLast() }
        return String(Substring(bytes))
    }
}
