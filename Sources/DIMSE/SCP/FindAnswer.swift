import Catalog
import DICOM

/// Makes the identifiers of C-FIND responses.
struct FindAnswer {
    let keys: Dataset
    let level: QueryLevel
    let aeTitle: String
    let transferSyntax: TransferSyntax
    /// The private attributes that are asked for and kept.
    private let privates: PrivateLayout
    private let characterSet: CharacterSet?

    init(
        keys: Dataset, level: QueryLevel, aeTitle: String, transferSyntax: TransferSyntax,
        keeping policy: PrivatePolicy = .none
    ) {
        self.keys = keys
        self.level = level
        self.aeTitle = aeTitle
        self.transferSyntax = transferSyntax
        privates = PrivateLayout(keys, policy)
        let named = keys.strings(.specificCharacterSet).filter { !$0.isEmpty }
        characterSet = named.isEmpty ? nil : CharacterSet(named)
    }

    /// Whether a key asks for something the catalogue has at no level. PS3.4 §C.4.1.1.4.
    var hasUnsupportedKeys: Bool {
        keys.elements.contains { key in
            switch key.tag {
            case .queryRetrieveLevel, .retrieveAETitle, .timezoneOffsetFromUTC: false
            default:
                !key.tag.isGroupLength && !LevelAttributes.isSupported(key.tag) && privates.vr(at: key.tag) == nil
                    && privates.creator(at: key.tag) == nil
            }
        }
    }

    /// Every key that was asked for, with its value or empty, and what PS3.4 §C.4.1.1.3.2 adds.
    func identifier(_ match: Match) -> [UInt8] {
        var result = Dataset()
        for key in keys.elements where !key.tag.isGroupLength && key.tag != .specificCharacterSet {
            switch key.tag {
            case .queryRetrieveLevel, .retrieveAETitle, .instanceAvailability: continue
            default: break
            }
            if let creator = privates.creator(at: key.tag) {
                result.set(key.tag, .LO, string: creator)
            } else if let held = match.attributes[key.tag] {
                result.set(Self.selected(held, by: key))
            } else {
                let known = privates.vr(at: key.tag) ?? Dictionary.vr(of: key.tag)
                let vr = key.vr == .UN ? known ?? .UN : key.vr
                if vr == .SQ { result.set(key.tag, .SQ, items: []) } else { result.set(key.tag, vr, bytes: []) }
            }
        }
        result.set(.queryRetrieveLevel, .CS, strings: [level.name])
        result.set(.retrieveAETitle, .AE, strings: [aeTitle])
        result.set(.instanceAvailability, .CS, strings: ["ONLINE"])
        return result.encoded(transferSyntax: transferSyntax, characterSet: characterSet)
    }

    /// A sequence shows only what its key's item asks for. PS3.4 §C.2.2.2.6.
    private static func selected(_ held: Element, by key: Element) -> Element {
        guard case .items(let items) = held.value, case .items(let asked) = key.value, let asked = asked.first,
            !asked.elements.isEmpty
        else { return held }
        var result = held
        result.value = .items(
            items.map { item in
                var chosen = Dataset()
                for inner in asked.elements {
                    if let element = item[inner.tag] { chosen.set(selected(element, by: inner)) }
                }
                return chosen
            })
        return result
    }
}
