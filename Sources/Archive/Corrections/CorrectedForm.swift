import Catalog
import DICOM
import Glibc

/// What corrections change in an object that goes out. PS3.3 §C.12.1.1.9.
struct CorrectedForm {
    /// The system named in (0400,0563).
    static let modifyingSystem = "Huizhen"

    /// In the bytes of the object's character set, or in UTF-8 if all text must go out in it.
    private(set) var replacing: Dataset
    /// Whether the object's character set lacks a character of what is put in.
    private(set) var needsUTF8 = false
    private(set) var removing: Set<Tag> = []
    /// The header as it is shown, text in UTF-8.
    private(set) var shown: Dataset

    private static let originalAttributesSequence = Tag(0x0400_0561)
    private static let modifiedAttributesSequence = Tag(0x0400_0550)
    private static let attributeModificationDateTime = Tag(0x0400_0562)
    private static let systemThatModified = Tag(0x0400_0563)
    private static let sourceOfPreviousValues = Tag(0x0400_0564)
    private static let reasonForModification = Tag(0x0400_0565)

    /// What must be held of a header, however long: it goes into (0400,0561).
    static func former(_ corrections: [Correction]) -> Set<Tag> {
        if corrections.isEmpty { return [] }
        var tags: Set = [originalAttributesSequence]
        for correction in corrections {
            tags.formUnion(correction.patch.elements.map(\.tag))
            tags.formUnion(correction.removing)
        }
        return tags
    }

    /// - Parameters:
    ///   - header: the object's with what is `former`, text in UTF-8.
    ///   - corrections: those that apply to it, in their order.
    ///   - source: the peer it came from.
    /// - Throws: `.transcodingFailed` when text cannot go out in any way.
    init(header: Dataset, corrections: [Correction], source: String) throws(ArchiveError) {
        var current = header
        var patch = Dataset()
        var items = header.items(Self.originalAttributesSequence)
        for correction in corrections {
            let changed = Set(correction.patch.elements.map(\.tag)).union(correction.removing)
            let previous = Dataset(changed.sorted().compactMap { current[$0] })
            items.append(Self.item(correction, previous, source))
            for tag in correction.removing {
                current.remove(tag)
                patch.remove(tag)
                removing.insert(tag)
            }
            for element in correction.patch.elements {
                current.set(element)
                patch.set(element)
                removing.remove(element.tag)
            }
        }
        patch.set(Self.originalAttributesSequence, items: items)
        current.set(Self.originalAttributesSequence, items: items)
        shown = current
        if let encoded = patch.encodedText(in: CharacterSet(header.strings(.specificCharacterSet))) {
            replacing = encoded
            return
        }
        guard let encoded = patch.encodedText(in: .utf8) else {
            throw .transcodingFailed("former values take more than \(ScanLimits().headerByteCount) bytes")
        }
        needsUTF8 = true
        replacing = encoded
        replacing.set(.specificCharacterSet, .CS, strings: CharacterSet.utf8.definedTerms)
    }

    private static func item(_ correction: Correction, _ previous: Dataset, _ source: String) -> Dataset {
        var item = Dataset()
        item.set(modifiedAttributesSequence, items: [previous])
        item.set(attributeModificationDateTime, .DT, string: text(correction.at))
        item.set(systemThatModified, .LO, string: modifyingSystem)
        item.set(sourceOfPreviousValues, .LO, string: source)
        item.set(reasonForModification, .CS, string: correction.kind == .set ? "CORRECT" : "COERCE")
        return item
    }

    /// In UTC, so that the same correction says the same everywhere.
    private static func text(_ milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ value: some BinaryInteger, _ count: Int) -> String {
            let digits = String(value)
            return String(repeating: "0", count: max(0, count - digits.count)) + digits
        }
        return padded(parts.tm_year + 1900, 4) + padded(parts.tm_mon + 1, 2) + padded(parts.tm_mday, 2)
            + padded(parts.tm_hour, 2) + padded(parts.tm_min, 2) + padded(parts.tm_sec, 2) + "."
            + padded(milliseconds % 1000, 3) + "+0000"
    }
}

extension Dataset {
    /// The same with text in the bytes of a character set, items included; nil when it lacks a character.
    fileprivate func encodedText(in set: CharacterSet) -> Dataset? {
        var result = Dataset()
        for var element in elements {
            switch element.value {
            case .bytes(let bytes):
                if element.vr.isText {
                    guard let encoded = set.encode(String(decoding: bytes, as: UTF8.self), vr: element.vr) else {
                        return nil
                    }
                    element.value = .bytes(encoded)
                }
            case .items(let items):
                var encoded: [Dataset] = []
                for var item in items {
                    // One character set holds for all of them.
                    item.remove(.specificCharacterSet)
                    guard let made = item.encodedText(in: set) else { return nil }
                    encoded.append(made)
                }
                element.value = .items(encoded)
            case .bulk, .fragments: return nil
            }
            result.set(element)
        }
        return result
    }
}
