import DICOM

/// The private attributes that the catalogue keeps, by the operator's setting; none that it does not name, for a private
/// attribute may say anything of a patient.
public struct PrivatePolicy: Sendable {
    /// Attributes of one setting.
    public static let entryLimit = 32

    /// Nothing is kept.
    public static let none = PrivatePolicy()

    public let attributes: [KeptAttribute]
    private let byPlace: [PrivatePlace: KeptAttribute]
    private let groups: [UInt16]
    /// Tells whether something was taken by this policy; 0 for the empty one. Not secret, and against nobody's will.
    let mark: UInt64

    private init() {
        attributes = []
        byPlace = [:]
        groups = []
        mark = 0
    }

    /// Reads the entries of the setting, each `LEVEL GGGGxxEE VR CREATOR`.
    public init(_ entries: [String]) throws(PrivatePolicyFlaw) {
        guard entries.count <= Self.entryLimit else { throw .tooMany(limit: Self.entryLimit) }
        var attributes: [KeptAttribute] = []
        var byPlace: [PrivatePlace: KeptAttribute] = [:]
        for entry in entries {
            let attribute = try KeptAttribute(entry)
            guard byPlace.updateValue(attribute, forKey: attribute.place) == nil else { throw .twice(entry) }
            attributes.append(attribute)
        }
        self.attributes = attributes
        self.byPlace = byPlace
        groups = Set(attributes.map(\.place.group)).sorted()
        mark = attributes.isEmpty ? 0 : Self.mark(attributes)
    }

    public var isEmpty: Bool { attributes.isEmpty }

    func attribute(at place: PrivatePlace) -> KeptAttribute? { byPlace[place] }

    /// What an object's header has of the attributes named, wherever their blocks lie.
    ///
    /// - Parameter header: with text in UTF-8 but for values of VR UN.
    public func attributes(of header: Dataset) -> PrivateAttributes {
        if isEmpty { return PrivateAttributes() }
        var found: [QueryLevel: PrivateElements] = [:]
        for group in groups {
            let elements = header.elements(ofGroup: group)
            if elements.isEmpty { continue }
            for (place, element) in PrivateElements.placed(elements) {
                guard let attribute = byPlace[place],
                    let value = attribute.value(
                        of: element, CharacterSet(header.strings(.specificCharacterSet)))
                else { continue }
                found[attribute.level, default: PrivateElements()].add(value, at: place)
            }
        }
        return PrivateAttributes(
            study: found[.study]?.dataset() ?? Dataset(), series: found[.series]?.dataset() ?? Dataset(),
            instance: found[.instance]?.dataset() ?? Dataset(), mark: mark)
    }

    /// FNV-1a of all entries, in an order of its own.
    private static func mark(_ attributes: [KeptAttribute]) -> UInt64 {
        let lines = attributes.map { attribute in
            let place = attribute.place
            return "\(attribute.level.rawValue) \(place.group) \(place.element) \(attribute.vr) \(place.creator)\n"
        }
        return max(FNV1a(lines.sorted().joined().utf8).value, 1)
    }
}
