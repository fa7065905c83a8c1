/// Choices for the JSON model.
public struct JSONOptions: Sendable {
    /// Bytes up to which binary values are written inline; longer ones get a bulk data URI.
    public var inlineByteCount = 1024
    /// What comes before the path of tags in a bulk data URI.
    public var bulkDataPrefix = "bulkdata/"

    public init() {}
}

extension Dataset {
    /// Appends the dataset in the DICOM JSON model, valid UTF-8 throughout. PS3.18 Annex F.
    ///
    /// Group lengths and file meta are left out. A bulk data URI is the prefix and the path of tags and item numbers,
    /// from 0, as in `bulkdata/00880200/0/7FE00010`. One pass without intermediate strings.
    public func json(into bytes: inout [UInt8], options: JSONOptions = JSONOptions()) {
        var writer = JSONWriter(bytes: bytes, options: options)
        bytes = []
        writer.write(self)
        bytes = writer.bytes
    }
}

/// Writes the model; recursive, for a dataset in memory is no deeper than the limit it was read with.
private struct JSONWriter {
    var bytes: [UInt8]
    let options: JSONOptions
    private var path: [UInt8] = []

    init(bytes: consuming [UInt8], options: JSONOptions) {
        self.bytes = bytes
        self.options = options
    }

    private mutating func put(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func put(_ text: String) { bytes.append(contentsOf: text.utf8) }

    mutating func write(_ dataset: Dataset) {
        bytes.append(UInt8(ascii: "{"))
        var isFirst = true
        for element in dataset.elements where !element.tag.isGroupLength && element.tag.group != 0x0002 {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            write(element)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func putHex(_ tag: Tag) {
        for index in 0..<8 {
            bytes.append(Hexadecimal.digit(UInt8(truncatingIfNeeded: tag.rawValue >> UInt32(28 - 4 * index))))
        }
    }

    private mutating func write(_ element: Element) {
        bytes.append(UInt8(ascii: "\""))
        putHex(element.tag)
        put("\":{\"vr\":\"")
        bytes.append(UInt8(element.vr.rawValue >> 8))
        bytes.append(UInt8(element.vr.rawValue & 0xFF))
        bytes.append(UInt8(ascii: "\""))
        switch element.value {
        case .bytes(let value): if !value.isEmpty { write(element, value) }
        case .items(let items): if !items.isEmpty { write(element.tag, items) }
        case .bulk, .fragments: writeURI(element.tag)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func write(_ tag: Tag, _ items: [Dataset]) {
        put(",\"Value\":[")
        let pathCount = path.count
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            path += tag.hex.utf8
            path.append(UInt8(ascii: "/"))
            path += String(index).utf8
            path.append(UInt8(ascii: "/"))
            write(item)
            path.removeSubrange(pathCount...)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func writeURI(_ tag: Tag) {
        put(",\"BulkDataURI\":\"")
        put(options.bulkDataPrefix)
        bytes += path
        putHex(tag)
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func write(_ element: Element, _ value: [UInt8]) {
        switch element.vr {
        case .OB, .OW, .OD, .OF, .OL, .OV, .UN:
            if value.count > options.inlineByteCount { return writeURI(element.tag) }
            put(",\"InlineBinary\":\"")
            Base64.append(value, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        case .SQ: return
        default:
            put(",\"Value\":[")
            if element.vr.isString {
                if element.tag == .specificCharacterSet {
                    put("\"ISO_IR 192\"")
                } else {
                    value.withUnsafeBytes { writeStrings($0, vr: element.vr) }
                }
            } else {
                writeNumbers(element)
            }
            bytes.append(UInt8(ascii: "]"))
        }
    }

    // MARK: Text

    private mutating func writeStrings(_ value: UnsafeRawBufferPointer, vr: VR) {
        guard vr.hasSeveralValues else { return writeString(value, vr: vr) }
        var start = 0
        for index in 0...value.count where index == value.count || value[index] == UInt8(ascii: "\\") {
            if start > 0 { bytes.append(UInt8(ascii: ",")) }
            writeString(UnsafeRawBufferPointer(rebasing: value[start..<index]), vr: vr)
            start = index + 1
        }
    }

    private mutating func writeString(_ value: UnsafeRawBufferPointer, vr: VR) {
        let text = Padding.trimmed(value, vr: vr)
        if text.isEmpty { return put("null") }
        switch vr {
        case .PN: writeName(text)
        // What is no integer is no number of IS: readers refuse it as one.
        case .IS where text.contains { ".eE".utf8.contains($0) }: writeQuoted(text)
        case .IS, .DS: if !JSONNumber.append(text, to: &bytes) { writeQuoted(text) }
        default: writeQuoted(text)
        }
    }

    private mutating func writeQuoted(_ text: UnsafeRawBufferPointer) {
        bytes.append(UInt8(ascii: "\""))
        JSONText.append(text, to: &bytes)
        bytes.append(UInt8(ascii: "\""))
    }

    /// PS3.18 §F.2.2: component groups by name, without empty ones.
    private mutating func writeName(_ text: UnsafeRawBufferPointer) {
        let names: [StaticString] = ["\"Alphabetic\":", "\"Ideographic\":", "\"Phonetic\":"]
        bytes.append(UInt8(ascii: "{"))
        var group = 0
        var start = 0
        var isFirst = true
        for index in 0...text.count where index == text.count || text[index] == UInt8(ascii: "=") {
            let part = UnsafeRawBufferPointer(rebasing: text[start..<index])
            let name = UnsafeRawBufferPointer(rebasing: part[..<Padding.trimmedCount(part)])
            if !name.isEmpty, group < 3 {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                put(names[group])
                writeQuoted(name)
            }
            group += 1
            start = index + 1
        }
        bytes.append(UInt8(ascii: "}"))
    }

    // MARK: Numbers

    private mutating func writeNumbers(_ element: Element) {
        for index in 0..<element.numberCount {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            switch element.vr {
            case .AT:
                bytes.append(UInt8(ascii: "\""))
                let bits = element.bits(at: index)
                putHex(Tag(UInt32(truncatingIfNeeded: (bits & 0xFFFF) << 16 | bits >> 16)))
                bytes.append(UInt8(ascii: "\""))
            case .FL:
                let number = Float(bitPattern: UInt32(truncatingIfNeeded: element.bits(at: index)))
                put(number.isFinite ? number.description : "null")
            case .FD:
                let number = Double(bitPattern: element.bits(at: index))
                put(number.isFinite ? number.description : "null")
            case .UV: put(String(element.bits(at: index)))
            default: JSONNumber.append(element.integer(at: index) ?? 0, to: &bytes)
            }
        }
    }
}
