/// The Basic Application Level Confidentiality Profile with some of its options. PS3.15 Annex E.
public struct Profile: Hashable, Sendable {
    public let name: String
    public let options: Set<ConfidentialityOption>

    /// Why options do not go together.
    public enum Contradiction: Error, Hashable, Sendable, CustomStringConvertible {
        case twoKindsOfDates
        case unknownName(known: [String])
        case unknownOption(known: [String])

        public var description: String {
            switch self {
            case .twoKindsOfDates:
                "full dates (113106) and modified dates (113107) exclude each other; choose one, or take a profile that has neither, such as basic"
            case .unknownName(let known): "no such profile; known are \(known.joined(separator: ", "))"
            case .unknownOption(let known): "no such option; known are \(known.joined(separator: ", "))"
            }
        }
    }

    /// - Throws: `.twoKindsOfDates`.
    public init(name: String, options: Set<ConfidentialityOption>) throws(Contradiction) {
        if options.isSuperset(of: [.retainFullDates, .retainModifiedDates]) { throw .twoKindsOfDates }
        self.init(name, options)
    }

    private init(_ name: String, _ options: Set<ConfidentialityOption>) {
        self.name = name
        self.options = options
    }

    /// One of those that are ready to use.
    public init(named name: String) throws(Contradiction) {
        guard let profile = Self.named.first(where: { $0.name == name }) else {
            throw .unknownName(known: Self.named.map(\.name))
        }
        self = profile
    }

    /// The profile with options more or less; then its name says that it is another.
    ///
    /// - Throws: `.twoKindsOfDates`.
    public func with(
        _ more: Set<ConfidentialityOption>, without less: Set<ConfidentialityOption> = []
    ) throws(Contradiction) -> Profile {
        let changed = options.subtracting(less).union(more)
        if changed == options { return self }
        return try Profile(
            name: name.hasSuffix(Self.changedSuffix) ? name : name + Self.changedSuffix, options: changed)
    }

    private static let changedSuffix = " with other options"

    /// Nothing but what the standard's profile demands.
    public static let basic = Profile("basic", [])

    /// Names, identifiers and contacts become pseudonyms; what a consultation needs stays.
    public static let consultation = Profile(
        "consultation",
        [
            .retainPatientCharacteristics, .retainFullDates, .retainDeviceIdentity, .cleanDescriptors,
            .cleanStructuredContent, .cleanGraphics, .cleanPixelData,
        ])

    /// Modified dates, everything cleaned.
    public static let research = Profile(
        "research",
        [
            .retainModifiedDates, .cleanDescriptors, .cleanStructuredContent, .cleanGraphics, .cleanPixelData,
            .cleanRecognizableVisualFeatures,
        ])

    /// No dates; age and sex stay, everything cleaned.
    public static let teaching = Profile(
        "teaching",
        [
            .retainPatientCharacteristics, .cleanDescriptors, .cleanStructuredContent, .cleanGraphics, .cleanPixelData,
            .cleanRecognizableVisualFeatures,
        ])

    public static let named: [Profile] = [consultation, research, teaching, basic]

    public func has(_ option: ConfidentialityOption) -> Bool { options.contains(option) }

    /// The options in the order of CID 7050.
    public var orderedOptions: [ConfidentialityOption] { ConfidentialityOption.allCases.filter(options.contains) }
}
