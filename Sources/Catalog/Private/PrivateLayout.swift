import DICOM

/// Which private attributes a query asks for, of those that are kept, and under which blocks it is answered: those it
/// names itself, for everything else the first free ones. PS3.18 §8.3.4, PS3.5 §7.8.1.
public struct PrivateLayout: Sendable {
    /// Nothing is asked for.
    static let none = PrivateLayout()

    private var asked: [(tag: Tag, attribute: KeptAttribute)] = []
    private var names: [Tag: String] = [:]

    private init() {}

    /// - Parameter includesAll: whether what the keys do not name is answered too.
    public init(_ keys: Dataset, includesAll: Bool = false, _ policy: PrivatePolicy) {
        if policy.isEmpty { return }
        var blocks = BlockAssignment()
        for key in keys.elements where key.tag.isPrivate {
            if key.tag.isPrivateCreator {
                blocks.take(key.tag)
                continue
            }
            guard case .bytes(let bytes) = keys[key.tag.creator]?.value else { continue }
            let place = PrivatePlace(
                group: key.tag.group, creator: PrivateElements.name(bytes),
                element: UInt8(truncatingIfNeeded: key.tag.element))
            guard let attribute = policy.attribute(at: place) else { continue }
            blocks.set(UInt8(truncatingIfNeeded: key.tag.element >> 8), of: place.creator, in: place.group)
            add(attribute, key.tag)
        }
        guard includesAll else { return }
        for attribute in policy.attributes where !asked.contains(where: { $0.attribute == attribute }) {
            let place = attribute.place
            guard let block = blocks.block(of: place.creator, in: place.group) else { continue }
            add(attribute, Tag(place.group, UInt16(block) << 8 | UInt16(place.element)))
        }
    }

    init(_ query: Query, _ policy: PrivatePolicy) {
        self.init(query.keys, includesAll: query.includesPrivate, policy)
    }

    private mutating func add(_ attribute: KeptAttribute, _ tag: Tag) {
        asked.append((tag, attribute))
        names[tag.creator] = attribute.place.creator
    }

    public var isEmpty: Bool { asked.isEmpty }

    /// The VR of what is asked for at a tag; nil for what is not kept, or has no creator in the query.
    public func vr(at tag: Tag) -> VR? { asked.first { $0.tag == tag }?.attribute.vr }

    /// Whose block something that is kept is asked for in.
    public func creator(at tag: Tag) -> String? { names[tag] }

    /// Levels whose attributes have to be read.
    func levels(upTo level: QueryLevel) -> [QueryLevel] {
        PrivateAttributes.levels.filter { own in own <= level && asked.contains { $0.attribute.level == own } }
    }

    /// The keys of a query that are matched on rows of a level.
    func keys(of query: Dataset, _ options: MatchingOptions, at level: QueryLevel) -> [MatchingKey] {
        asked.compactMap { tag, attribute in
            guard attribute.level <= level, let element = query[tag], case .bytes(let bytes) = element.value,
                !bytes.isEmpty
            else { return nil }
            guard var key = attribute.value(of: element, CharacterSet(query.strings(.specificCharacterSet))) else {
                return MatchingKey(tag: tag, vr: attribute.vr, rule: .single([]))
            }
            // By the rules of the attribute's own VR, as far as the key is text as that is.
            if key.vr.isString, attribute.vr.isString { key.vr = attribute.vr }
            var keys = Dataset()
            keys.set(key)
            return MatchingKey(key, of: keys, options)
        }
    }

    /// Puts what a level holds where it was asked for, with the creators; nothing that is not asked for, or no longer kept.
    func place(_ held: Dataset, of level: QueryLevel, into attributes: inout Dataset) {
        if held.isEmpty { return }
        let elements = PrivateElements(held)
        for (tag, attribute) in asked where attribute.level == level {
            guard var element = elements[attribute.place], KeptAttribute.isComparable(element.vr) else { continue }
            element.tag = tag
            attributes.set(PrivateElements.creator(attribute.place.creator, tag.creator))
            attributes.set(element)
        }
    }

    /// The same of all levels down to one.
    public func place(_ held: PrivateAttributes, upTo level: QueryLevel, into attributes: inout Dataset) {
        for own in PrivateAttributes.levels where own <= level { place(held[own], of: own, into: &attributes) }
    }
}
