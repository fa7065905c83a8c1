import DICOM

/// Private elements by who reserved their blocks, whatever blocks these are. PS3.5 §7.8.1.
struct PrivateElements {
    private var values: [PrivatePlace: Element] = [:]

    init() {}

    /// Those of a dataset that have a creator.
    init(_ dataset: Dataset) {
        for (place, element) in Self.placed(dataset.elements[...]) { add(element, at: place) }
    }

    subscript(place: PrivatePlace) -> Element? { values[place] }

    /// A creator may have two blocks; of one place the first value stays.
    mutating func add(_ element: Element, at place: PrivatePlace) {
        if values[place] == nil { values[place] = element }
    }

    /// Takes over what is not here.
    mutating func fill(from other: PrivateElements) { values.merge(other.values) { held, _ in held } }

    /// A dataset of them, in the first blocks, with the creators in the order of their names: the same for the same
    /// elements.
    func dataset() -> Dataset {
        var blocks = BlockAssignment()
        var result = Dataset()
        let places = values.keys.sorted { ($0.group, $0.creator, $0.element) < ($1.group, $1.creator, $1.element) }
        for place in places {
            guard let block = blocks.block(of: place.creator, in: place.group), var element = values[place] else {
                continue
            }
            element.tag = Tag(place.group, UInt16(block) << 8 | UInt16(place.element))
            result.set(Self.creator(place.creator, Tag(place.group, UInt16(block))))
            result.set(element)
        }
        return result
    }

    static func creator(_ name: String, _ tag: Tag) -> Element { Element(tag, .LO, .bytes(Array(name.utf8))) }

    /// The elements of a slice in ascending order whose blocks are reserved in it.
    static func placed(_ elements: ArraySlice<Element>) -> [(place: PrivatePlace, element: Element)] {
        var creators: [Tag: String] = [:]
        var result: [(place: PrivatePlace, element: Element)] = []
        for element in elements where element.tag.isPrivate {
            if element.tag.isPrivateCreator {
                guard case .bytes(let bytes) = element.value else { continue }
                creators[element.tag] = name(bytes)
            } else if let creator = creators[element.tag.creator], !creator.isEmpty {
                let place = PrivatePlace(
                    group: element.tag.group, creator: creator, element: UInt8(truncatingIfNeeded: element.tag.element))
                result.append((place, element))
            }
        }
        return result
    }

    /// A private creator's value without padding.
    static func name(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.withoutTrailingPadding.drop { $0 == 0x20 }, as: UTF8.self)
    }
}

/// Which block of a group stands for which creator.
struct BlockAssignment {
    private var blocks: [UInt16: [String: UInt8]] = [:]
    private var taken: Set<Tag> = []

    /// Keeps a block from being given to anybody.
    mutating func take(_ creator: Tag) { taken.insert(creator) }

    /// The creator's block, the lowest free one at first; nil where none is left.
    mutating func block(of creator: String, in group: UInt16) -> UInt8? {
        if let known = blocks[group]?[creator] { return known }
        guard let free = (UInt8(0x10)...0xFF).first(where: { !taken.contains(Tag(group, UInt16($0))) }) else {
            return nil
        }
        set(free, of: creator, in: group)
        return free
    }

    mutating func set(_ block: UInt8, of creator: String, in group: UInt16) {
        blocks[group, default: [:]][creator] = block
        taken.insert(Tag(group, UInt16(block)))
    }
}
