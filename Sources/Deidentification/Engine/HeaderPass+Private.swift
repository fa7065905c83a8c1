import DICOM

/// The private blocks of a dataset: who reserved them, and which of their elements stay. PS3.5 §7.8.1.
struct PrivateBlocks {
    private let creators: [Tag: String]
    /// What the object itself says to be safe, by creator and group. PS3.3 §C.12.1.1.7.
    private let declaredSafe: [String: Set<UInt8>?]
    private var usedBlocks: Set<Tag> = []

    init(_ dataset: Dataset) {
        var creators: [Tag: String] = [:]
        for element in dataset.elements where element.tag.isPrivateCreator {
            guard case .bytes(let bytes) = element.value else { continue }
            creators[element.tag] = String(decoding: bytes.withoutTrailingPadding, as: UTF8.self)
        }
        self.creators = creators
        var safe: [String: Set<UInt8>?] = [:]
        for item in dataset.items(Tag(0x0008_0300)) {
            guard let group = item.uint16(Tag(0x0008_0301)), let creator = item.string(Tag(0x0008_0302)) else {
                continue
            }
            let key = Self.key(group, creator)
            switch item.string(Tag(0x0008_0303)) {
            case "SAFE": safe[key] = .some(nil)
            case "MIXED": safe[key] = .some(Set(item.ints(Tag(0x0008_0304)).map { UInt8(truncatingIfNeeded: $0) }))
            default: continue
            }
        }
        declaredSafe = safe
    }

    private static func key(_ group: UInt16, _ creator: String) -> String { "\(group) \(creator)" }

    /// Who reserved the block of an element; nil for an orphan.
    func creator(of tag: Tag) -> String? { creators[tag.creator] }

    func isDeclaredSafe(_ tag: Tag, creator: String) -> Bool {
        guard let elements = declaredSafe[Self.key(tag.group, creator)] else { return false }
        return elements?.contains(UInt8(truncatingIfNeeded: tag.element)) ?? true
    }

    mutating func use(_ tag: Tag) { usedBlocks.insert(tag.creator) }

    /// Puts the creators of what stays in front of it.
    func withCreators(_ kept: [Element]) -> [Element] {
        if usedBlocks.isEmpty { return kept }
        return kept
            + usedBlocks.compactMap { block in
                creators[block].map { Element(block, .LO, .bytes(Array($0.utf8))) }
            }
    }
}

extension HeaderPass {
    /// Private elements go unless a table, the object or the site vouches for creator, place and VR. PS3.15 §E.3.10.
    func privateElement(_ element: Element, _ privates: inout PrivateBlocks) throws(Quarantine) -> Element? {
        if element.tag.isPrivateCreator { return nil }
        guard let creator = privates.creator(of: element.tag), let safe = safe(element, creator, privates) else {
            note(element, .privateAttribute, .remove)
            return nil
        }
        let ruling = Ruling(action: .keep, rule: .privateAttribute)
        guard let kept = try kept(safe, ruling) else { return nil }
        privates.use(element.tag)
        return kept
    }

    /// The element under the VR that is vouched for.
    private func safe(_ element: Element, _ creator: String, _ privates: PrivateBlocks) -> Element? {
        let last = UInt8(truncatingIfNeeded: element.tag.element)
        for rule in plan.rules.privates
        where rule.group == element.tag.group && rule.element == last && rule.creator == creator {
            if let known = known(element, as: rule.vr) { return known }
        }
        guard profile.has(.retainSafePrivate) else { return nil }
        let place = PrivateAttribute(group: element.tag.group, element: last, creator: creator)
        if let vr = PrivateAttribute.safe[place] {
            guard let vr else { return Self.isNumber(element.vr) ? element : nil }
            return known(element, as: vr)
        }
        guard privates.isDeclaredSafe(element.tag, creator: creator), element.vr != .UN else { return nil }
        // What the object says of a creator must not itself name somebody.
        return cleaner.clean(creator).text == creator ? element : nil
    }

    private func known(_ element: Element, as vr: VR) -> Element? {
        if element.vr == vr { return element }
        guard case .bytes(let bytes) = element.value, element.vr == .UN || (vr == .OB && element.vr == .OW) else {
            return nil
        }
        return vr == .SQ ? nil : read(bytes, element, as: vr)
    }

    private static func isNumber(_ vr: VR) -> Bool {
        switch vr {
        case .FL, .FD, .SL, .SS, .UL, .US, .SV, .UV: true
        default: false
        }
    }
}
