/// Makes a dataset of the elements of an XML text as they begin and end.
struct XMLModelBuilder {
    let limits: ModelLimits
    private(set) var model = ModelDataset()
    /// Whether the outermost element was one of the model.
    private(set) var isDataset = false

    /// Elements around what comes next, and what has been gathered for those of each kind, the innermost last.
    private var open: [Open] = []
    private var datasets: [[Element]] = []
    private var attributes: [Attribute] = []
    /// Text of the value, component or binary value that is open.
    private var text: [UInt8] = []
    /// Component groups of the name that is open, with their components.
    private var name: [[[UInt8]]] = []
    private var nodeCount = 0

    private enum Open {
        /// The model itself, or an item.
        case dataset
        case attribute
        /// Which value the text is of, from 0.
        case value(Int)
        case name(Int)
        case group(Int)
        case component(Int)
        case inline
        /// Nothing of the model.
        case other
    }

    private struct Attribute {
        var tag: Tag
        /// nil when it is not known.
        var vr: VR?
        var values: [[UInt8]?] = []
        var items: [Dataset] = []
        var value: Value?
        var isBroken = false

        mutating func put(_ text: [UInt8], at index: Int) {
            while values.count <= index { values.append(nil) }
            values[index] = text.isEmpty ? nil : text
        }
    }

    private static let groups = ["Alphabetic", "Ideographic", "Phonetic"]
    private static let components = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"]
    /// Elements within elements that are none of the model's.
    private static let spareDepth = 16

    init(limits: ModelLimits) { self.limits = limits }

    private mutating func note(_ problem: ModelError) { model.problem = model.problem ?? problem }

    private mutating func count(_ more: Int = 1) throws(ModelError) {
        nodeCount += more
        guard nodeCount <= limits.nodeCount else { throw .tooManyNodes(limit: limits.nodeCount) }
    }

    // MARK: Elements

    mutating func begin(_ name: String, _ attributes: [String: String]) throws(ModelError) {
        try count()
        // Attribute and item in turn, and a name's three.
        guard open.count < (limits.depth + 1) * 2 + Self.spareDepth else { throw .tooDeep(limit: limits.depth) }
        open.append(try opened(name, attributes))
    }

    private mutating func opened(_ name: String, _ attributes: [String: String]) throws(ModelError) -> Open {
        switch (open.last, name) {
        case (nil, "NativeDicomModel"):
            isDataset = true
            datasets.append([])
            return .dataset
        case (.dataset, "DicomAttribute"): return begin(attributes)
        case (.attribute, _): return try openedWithin(name, attributes)
        case (.name, let name): return Self.groups.firstIndex(of: name).map { .group($0) } ?? .other
        case (.group, let name):
            text = []
            return Self.components.firstIndex(of: name).map { .component($0) } ?? .other
        default: return .other
        }
    }

    private mutating func openedWithin(_ name: String, _ fields: [String: String]) throws(ModelError) -> Open {
        let last = attributes.count - 1
        switch name {
        case "Item" where attributes[last].vr == .SQ:
            guard datasets.count <= limits.depth else { throw .tooDeep(limit: limits.depth) }
            datasets.append([])
            return .dataset
        case "Value", "PersonName":
            guard let index = try place(fields["number"], after: attributes[last].values.count) else { break }
            text = []
            self.name = [[], [], []]
            return name == "Value" ? .value(index) : .name(index)
        case "InlineBinary":
            text = []
            return .inline
        case "BulkData":
            guard let address = fields["uri"] ?? fields["uuid"], attributes[last].vr != .SQ else { break }
            guard let value = model.address(address, limits: limits) else {
                note(.addressTooLong(attributes[last].tag, byteCountLimit: limits.addressByteCount))
                break
            }
            attributes[last].value = value
            return .other
        case "Item": break
        default: return .other
        }
        attributes[last].isBroken = true
        return .other
    }

    private mutating func begin(_ fields: [String: String]) -> Open {
        guard let raw = Tag(model: Array((fields["tag"] ?? "").utf8)) else {
            note(.badTag)
            return .other
        }
        let tag = placed(raw, creator: fields["privateCreator"])
        var vr = Dictionary.vr(of: tag)
        if let named = fields["vr"] {
            let letters = Array(named.utf8)
            vr = letters.count == 2 ? VR(bytes: letters[0], letters[1]) : nil
        }
        if vr == nil { note(.badVR(tag)) }
        attributes.append(Attribute(tag: tag, vr: vr))
        return .attribute
    }

    /// Some write private elements without the block, and who reserved it beside them. PS3.5 §7.8.1.
    private mutating func placed(_ tag: Tag, creator: String?) -> Tag {
        guard tag.isPrivate, tag.element < 0x100, !tag.isPrivateCreator || creator != nil,
            let creator, !creator.isEmpty, !datasets.isEmpty
        else { return tag }
        var free: UInt16 = 0x10
        for element in datasets[datasets.count - 1] where element.tag.group == tag.group && element.tag.isPrivateCreator
        {
            if case .bytes(let bytes) = element.value, bytes == Array(creator.utf8) {
                return Tag(tag.group, element.tag.element << 8 | tag.element)
            }
            free = max(free, element.tag.element + 1)
        }
        guard free <= 0xFF else { return tag }
        datasets[datasets.count - 1].append(Element(Tag(tag.group, free), .LO, .bytes(Array(creator.utf8))))
        return Tag(tag.group, free << 8 | tag.element)
    }

    /// Which value a number from 1 means; nil for what is none.
    private mutating func place(_ number: String?, after count: Int) throws(ModelError) -> Int? {
        guard let number else { return count }
        guard let value = Int(number), value > 0 else { return nil }
        // Values that are left out are empty.
        guard value <= limits.nodeCount else { throw .tooManyNodes(limit: limits.nodeCount) }
        try self.count(max(0, value - count))
        return value - 1
    }

    // MARK: Text

    mutating func text(_ bytes: UnsafeRawBufferPointer) {
        switch open.last {
        case .value, .component, .inline: text += bytes
        default: return
        }
    }

    // MARK: Ends

    mutating func end() throws(ModelError) {
        guard let ended = open.popLast() else { return }
        let last = attributes.count - 1
        switch ended {
        case .dataset:
            guard let elements = datasets.popLast() else { return }
            if datasets.isEmpty {
                model.dataset = Dataset(elements)
            } else {
                attributes[last].items.append(Dataset(elements))
            }
        case .attribute:
            guard let attribute = attributes.popLast(), let element = element(attribute) else { return }
            datasets[datasets.count - 1].append(element)
        case .value(let index): attributes[last].put(text, at: index)
        case .name(let index): attributes[last].put(Self.name(name), at: index)
        case .inline:
            attributes[last].value = Base64.decode(text).map { .bytes($0) }
            if attributes[last].value == nil || attributes[last].vr?.isString == true {
                attributes[last].isBroken = true
            }
        case .component(let component):
            guard case .group(let group) = open.last else { return }
            while name[group].count <= component { name[group].append([]) }
            name[group][component] = text
        case .group, .other: return
        }
    }

    private static func name(_ groups: [[[UInt8]]]) -> [UInt8] {
        var texts = groups.map { Array($0.joined(separator: [UInt8(ascii: "^")])) }
        while texts.count > 1, texts.last?.isEmpty == true { texts.removeLast() }
        return Array(texts.joined(separator: [UInt8(ascii: "=")]))
    }

    private mutating func element(_ attribute: Attribute) -> Element? {
        guard let vr = attribute.vr, !attribute.tag.isGroupLength else { return nil }
        var value = attribute.value
        if vr == .SQ {
            value = .items(attribute.items)
        } else if value == nil {
            value = ModelValues.bytes(attribute.values, vr).map { .bytes($0) }
        }
        guard !attribute.isBroken, let value else {
            note(.badValue(attribute.tag))
            return nil
        }
        return Element(attribute.tag, vr, value)
    }
}
