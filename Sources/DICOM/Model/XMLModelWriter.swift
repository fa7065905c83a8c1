/// Writes datasets in the Native DICOM Model. PS3.19 §A.1.
///
/// Well-formed UTF-8 throughout: characters that XML 1.0 has not become U+FFFD. Recursive, for a dataset in memory is no
/// deeper than the limit it was read with.
public struct XMLModelWriter {
    private let addresses: [String]
    private let addressPrefix: String
    private let addressSuffix: String
    private var bytes: [UInt8] = []

    /// Appends a whole document.
    ///
    /// - Parameters:
    ///   - addressPrefix: what comes before each address of the model.
    ///   - addressSuffix: what comes behind each.
    public static func write(
        _ model: ModelDataset, addressPrefix: String = "", addressSuffix: String = "", into bytes: inout [UInt8]
    ) {
        var writer = XMLModelWriter(
            addresses: model.addresses, addressPrefix: addressPrefix, addressSuffix: addressSuffix, bytes: bytes)
        bytes = []
        writer.put("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        writer.put(
            "<NativeDicomModel xmlns=\"http://dicom.nema.org/PS3.19/models/NativeDICOM\" xml:space=\"preserve\">\n")
        writer.write(model.dataset)
        writer.put("</NativeDicomModel>\n")
        bytes = writer.bytes
    }

    private init(addresses: [String], addressPrefix: String, addressSuffix: String, bytes: consuming [UInt8]) {
        self.addresses = addresses
        self.addressPrefix = addressPrefix
        self.addressSuffix = addressSuffix
        self.bytes = bytes
    }

    private mutating func put(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    private mutating func put(_ text: String) { bytes += text.utf8 }

    private mutating func write(_ dataset: Dataset) {
        for element in dataset.elements where !element.tag.isGroupLength && element.tag.group != 0x0002 {
            put("<DicomAttribute tag=\"\(element.tag.hex)\" vr=\"\(element.vr)\"")
            if let keyword = Dictionary.keyword(of: element.tag) { put(" keyword=\"\(keyword)\"") }
            if let creator = Self.creator(of: element.tag, in: dataset) {
                put(" privateCreator=\"")
                escape(creator.utf8)
                put("\"")
            }
            put(">")
            write(element, in: dataset)
            put("</DicomAttribute>\n")
        }
    }

    /// Who reserved the block of a private element. PS3.5 §7.8.1.
    private static func creator(of tag: Tag, in dataset: Dataset) -> String? {
        guard tag.isPrivate, !tag.isPrivateCreator, tag.element >= 0x1000 else { return nil }
        return dataset.string(tag.creator)
    }

    private mutating func write(_ element: Element, in dataset: Dataset) {
        switch element.value {
        case .items(let items):
            for (index, item) in items.enumerated() {
                put("<Item number=\"\(index + 1)\">\n")
                write(item)
                put("</Item>\n")
            }
        case .bulk(let index, _):
            guard addresses.indices.contains(Int(clamping: index)) else { return }
            put("<BulkData uri=\"")
            escape((addressPrefix + addresses[Int(index)] + addressSuffix).utf8)
            put("\"/>")
        case .fragments: break
        case .bytes(let value):
            if value.isEmpty { return }
            switch element.vr {
            case .OB, .OW, .OD, .OF, .OL, .OV, .UN:
                put("<InlineBinary>")
                Base64.append(value, to: &bytes)
                put("</InlineBinary>")
            case .SQ: break
            default: writeValues(element, in: dataset)
            }
        }
    }

    private mutating func writeValues(_ element: Element, in dataset: Dataset) {
        for (index, value) in dataset.strings(element.tag).enumerated() where !value.isEmpty {
            let text = element.tag == .specificCharacterSet ? "ISO_IR 192" : value
            if element.tag == .specificCharacterSet, index > 0 { break }
            if element.vr == .PN {
                put("<PersonName number=\"\(index + 1)\">")
                writeName(text)
                put("</PersonName>")
            } else {
                put("<Value number=\"\(index + 1)\">")
                escape(text.utf8)
                put("</Value>")
            }
        }
    }

    private static let groups = ["Alphabetic", "Ideographic", "Phonetic"]
    private static let components = ["FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix"]

    private mutating func writeName(_ name: String) {
        for (group, text) in zip(Self.groups, name.split(separator: "=", omittingEmptySubsequences: false))
        where !text.isEmpty {
            put("<\(group)>")
            // What is behind the fifth component belongs to it.
            let parts = text.split(separator: "^", maxSplits: 4, omittingEmptySubsequences: false)
            for (component, part) in zip(Self.components, parts) where !part.isEmpty {
                put("<\(component)>")
                escape(part.utf8)
                put("</\(component)>")
            }
            put("</\(group)>")
        }
    }

    /// Text within an element or an attribute. XML 1.0 §2.2, §2.11 and §3.3.3.
    private mutating func escape(_ text: some Sequence<UInt8>) {
        let text = Array(text)
        text.withUnsafeBytes { text in
            var index = 0
            while index < text.count {
                let count = UTF8Text.sequenceCount(text, at: index)
                switch text[index] {
                case UInt8(ascii: "<"): put("&lt;")
                case UInt8(ascii: ">"): put("&gt;")
                case UInt8(ascii: "&"): put("&amp;")
                case UInt8(ascii: "\""): put("&quot;")
                // Readers would change them.
                case 0x09: put("&#9;")
                case 0x0A: put("&#10;")
                case 0x0D: put("&#13;")
                case 0..<0x20: bytes += UTF8Text.replacement
                // U+FFFE and U+FFFF are no characters of XML.
                case 0xEF where count == 3 && text[index + 1] == 0xBF && text[index + 2] >= 0xBE:
                    bytes += UTF8Text.replacement
                case _ where count == 0: bytes += UTF8Text.replacement
                default: bytes += text[index..<index + count]
                }
                index += max(1, count)
            }
        }
    }
}
