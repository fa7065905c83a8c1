import DICOM

/// What an element is by the standard, whatever its stream calls it.
extension HeaderPass {
    /// The element under the VR of PS3.6; nil when its value cannot be one of it: then nothing that is known of the
    /// attribute holds for the bytes.
    func ofItsVR(_ element: Element) -> Element? {
        guard let vr = Dictionary.vr(of: element.tag) else { return nil }
        switch element.value {
        case .items: return vr == .SQ ? element : nil
        case .bulk, .fragments: return nil
        case .bytes(let bytes):
            if element.vr == vr { return element }
            if bytes.isEmpty { return Element(element.tag, vr, vr == .SQ ? .items([]) : element.value) }
            if vr == .SQ { return nil }
            return read(bytes, element, as: vr)
        }
    }

    /// - Parameter vr: not the element's own.
    func read(_ bytes: [UInt8], _ element: Element, as vr: VR) -> Element? {
        if vr.isString {
            // Numbers that some devices write in binary.
            if vr == .IS || vr == .DS, let numbers = Self.integers(bytes, element.vr) {
                return Element(element.tag, vr, .bytes(Array(numbers.map(String.init).joined(separator: "\\").utf8)))
            }
            guard element.vr.isString || Self.isUnknown(element.vr) else { return nil }
            return Element(element.tag, vr, .bytes(text(bytes, from: element.vr, to: vr)))
        }
        if Self.areAlike(element.vr, vr) { return element }
        guard element.vr == .UN, bytes.count % vr.unitByteCount == 0 else { return nil }
        return Element(element.tag, vr, element.value)
    }

    /// Binary numbers that are whole; nil for what is none of these.
    private static func integers(_ bytes: [UInt8], _ vr: VR) -> [Int]? {
        switch vr {
        case .US, .SS, .UL, .SL: break
        default: return nil
        }
        let tag = Tag.numberOfFrames
        let numbers = Dataset([Element(tag, vr, .bytes(bytes))]).ints(tag)
        return bytes.count == numbers.count * vr.unitByteCount ? numbers : nil
    }

    private static func isUnknown(_ vr: VR) -> Bool { vr == .UN || vr == .OB || vr == .OW }

    /// Numbers of one width, of which the standard leaves a choice.
    private static func areAlike(_ left: VR, _ right: VR) -> Bool {
        switch right {
        case .US, .SS: left == .US || left == .SS || left == .OW
        case .OW, .OB: left == .US || left == .SS || left == .OW || left == .OB
        case .UL, .SL: left == .UL || left == .SL
        default: false
        }
    }

    /// Text that was not read as such, in UTF-8 and without padding.
    private func text(_ bytes: [UInt8], from: VR, to: VR) -> [UInt8] {
        let trimmed = bytes.withoutTrailingPadding
        if from.isText || !to.isText { return Array(trimmed) }
        return Array(characterSet.decode(trimmed, vr: to).utf8)
    }
}

/// Looks through an object for what identifies people, so that it is found in texts too.
struct IdentitySurvey {
    private(set) var identities = KnownIdentities()
    private(set) var uids: Set<String> = []
    private(set) var words = KnownWords()
    private(set) var hasReferences = false

    /// UIDs of one object that are remembered.
    private static let uidLimit = 10_000

    /// Whether the object names no character set, so that each value was read as it seemed.
    private let isUndeclared: Bool

    init(removesInstitutions: Bool, isUndeclared: Bool) {
        self.isUndeclared = isUndeclared
        identities.removesInstitutions = removesInstitutions
    }

    mutating func read(_ dataset: Dataset) {
        for element in dataset.elements {
            switch element.value {
            case .items(let items):
                // Person Identification Code Sequence: somebody who may stand nowhere as a name.
                if element.tag.rawValue == 0x0040_1101 {
                    for item in items {
                        item.string(.codeMeaning).map { insert(name: $0) }
                        item.string(.codeValue).map { insert(identifier: $0) }
                    }
                }
                for item in items { read(item) }
            case .bytes(let bytes) where !bytes.isEmpty: read(element, dataset)
            default: continue
            }
        }
    }

    /// A name, also as it is if it was written in another character set than the object says.
    private mutating func insert(name: String) {
        for form in [name, MisreadText.chinese(name), isUndeclared ? MisreadText.latin(name) : nil] {
            guard let form else { continue }
            identities.insert(name: form)
            words.insert(name: form)
        }
    }

    private mutating func insert(identifier: String) {
        identities.insert(identifier: identifier)
        words.insert(identifier: identifier)
    }

    private mutating func read(_ element: Element, _ dataset: Dataset) {
        let tag = element.tag
        if element.vr == .PN {
            for name in dataset.strings(tag) where !name.isEmpty { insert(name: name) }
            return
        }
        if element.vr == .UI {
            for uid in dataset.strings(tag) where uids.count < Self.uidLimit && !WellKnownUIDs.contains(uid) {
                uids.insert(uid)
            }
            return
        }
        if tag.rawValue == 0x0040_DB73 { hasReferences = true }
        guard !tag.isPrivate else { return }
        switch Self.kind(tag) {
        case .identifier:
            for value in dataset.strings(tag) { insert(identifier: value) }
        case .contact:
            for value in dataset.strings(tag) {
                identities.insert(contact: value)
                words.insert(value)
            }
        case .institution where identities.removesInstitutions:
            for value in dataset.strings(tag) {
                identities.insert(institution: value)
                words.insert(value)
            }
        case .birthDate: identities.birthDate = dataset.string(tag).flatMap { ValueCheck.day(Array($0.utf8)) }
        case .institution, .nothing: break
        }
    }

    private enum Kind { case identifier, contact, institution, birthDate, nothing }

    private static func kind(_ tag: Tag) -> Kind {
        switch tag.rawValue {
        case 0x0010_0020, 0x0010_1000, 0x0008_0050, 0x0038_0010, 0x0040_1001, 0x0040_2016, 0x0040_2017, 0x0020_0010,
            0x0010_1090, 0x0040_0009, 0x0040_0253, 0x0038_0060,
            0x0040_0551, 0x0040_0512, 0x0012_0040, 0x0012_0042, 0x0010_0215:
            .identifier
        case 0x0010_1040, 0x0010_2154, 0x0010_2155, 0x0008_0092, 0x0008_0094, 0x0040_1103, 0x0040_1102, 0x0040_1104:
            .contact
        case 0x0008_0080, 0x0008_0081, 0x0008_1040, 0x0010_2299, 0x0040_A027: .institution
        case 0x0010_0030: .birthDate
        default: .nothing
        }
    }
}
