import DICOM
import Glibc

@testable import Deidentification

typealias Tag = DICOM.Tag

/// Values that must not come out, each different from all others, and the search for them in whatever form.
enum Canary {
    static let word = "CNRYZQ"

    /// A value of a VR; nil for those that hold numbers only.
    static func value(_ number: Int, _ vr: VR) -> [UInt8]? {
        switch vr {
        case .LO, .SH, .ST, .LT, .UT, .UC, .AE, .CS, .UR: Array("\(word)\(number)".utf8)
        case .PN: Array("\(word)\(number)^\(word)=\(word)=\(word)".utf8)
        case .UI: Array(uid(number).utf8)
        case .DA: Array(date(number).utf8)
        case .DT: Array("\(date(number))\(time(number))".utf8)
        case .TM: Array(time(number).utf8)
        case .IS: Array("\(1_700_000_000 + number)".utf8)
        case .DS: Array("7.7\(100_000 + number)".utf8)
        case .OB, .OW, .UN: Array("\(word)\(number % 2 == 0 ? "AA" : "BB")".utf8)
        case .AS: Array("077Y".utf8)
        default: nil
        }
    }

    static func uid(_ number: Int) -> String { "1.2.826.0.1.3680043.77.\(100_000 + number)" }
    /// In years of which nothing else is.
    static func date(_ number: Int) -> String {
        String(decoding: CalendarDay(number: -36_000 + number)!.digits, as: UTF8.self)
    }
    static func time(_ number: Int) -> String { "1122\(10 + number % 50).\(100_000 + number)" }

    /// A value's forms in which it could hide.
    static func forms(_ value: [UInt8]) -> [[UInt8]] {
        let digits = Array("0123456789abcdef".utf8)
        var (utf16LittleEndian, utf16BigEndian, hexadecimal): ([UInt8], [UInt8], [UInt8]) = ([], [], [])
        for byte in value {
            utf16LittleEndian += [byte, 0]
            utf16BigEndian += [0, byte]
            hexadecimal += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        let capitals = hexadecimal.map { $0 >= 0x61 ? $0 - 0x20 : $0 }
        let reversed = Array(value.reversed())
        return [value, reversed, utf16LittleEndian, utf16BigEndian, hexadecimal, capitals] + base64(value)
    }

    /// What of a value's base64 does not depend on what stands beside it, for each of the three phases.
    private static func base64(_ value: [UInt8]) -> [[UInt8]] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return (0..<3).map { (phase: Int) -> [UInt8] in
            var bits: [UInt8] = []
            for byte in [UInt8](repeating: 0, count: phase) + value {
                for shift in 0..<8 { bits.append(byte >> UInt8(7 - shift) & 1) }
            }
            let first = (phase * 8 + 5) / 6
            return (first..<bits.count / 6).map { index in
                alphabet[bits[index * 6..<index * 6 + 6].reduce(0) { $0 << 1 | Int($1) }]
            }
        }
    }

    /// Bytes that are searched often.
    struct Haystack {
        let text: [CChar]

        init(_ bytes: [UInt8]) { text = Canary.text(bytes) }

        func contains(_ pattern: [UInt8]) -> Bool {
            // Both end at their first zero, so none must be inside.
            text.withUnsafeBufferPointer { haystack in
                Canary.text(pattern).withUnsafeBufferPointer { needle in
                    strstr(haystack.baseAddress!, needle.baseAddress!) != nil
                }
            }
        }
    }

    private static func text(_ bytes: [UInt8]) -> [CChar] {
        bytes.map { CChar(bitPattern: $0 == 0 ? 1 : $0) } + [0]
    }

    /// Whether a value stands anywhere, in any form.
    static func isFound(_ value: [UInt8], in bytes: [UInt8]) -> Bool {
        isFound(value, in: Haystack(bytes))
    }

    static func isFound(_ value: [UInt8], in haystack: Haystack) -> Bool {
        forms(value).contains { $0.count >= 4 && haystack.contains($0) }
    }

    static func isFound(_ value: String, in bytes: [UInt8]) -> Bool { isFound(Array(value.utf8), in: bytes) }
}

/// A row of PS3.15 Table E.1-1 as confidentiality.tsv has it: the standard's word, not the engine's.
struct TableRow: CustomStringConvertible {
    let number: Int
    let tag: Tag
    let vr: VR?
    let basic: String
    let cells: [Character]
    let keyword: String

    var description: String { "\(tag) \(keyword)" }

    static let options: [ConfidentialityOption] = [
        .retainSafePrivate, .retainUIDs, .retainDeviceIdentity, .retainInstitutionIdentity,
        .retainPatientCharacteristics, .retainFullDates, .retainModifiedDates, .cleanDescriptors,
        .cleanStructuredContent, .cleanGraphics,
    ]

    /// What the standard says under some options: cleaning before keeping.
    func code(_ options: Set<ConfidentialityOption>) -> String {
        let cells = zip(Self.options, self.cells).filter { options.contains($0.0) && $0.1 != "-" }.map(\.1)
        return cells.contains("C") ? "C" : cells.contains("K") ? "K" : basic
    }

    static let all: [TableRow] = {
        let path = #filePath.replacing("Canary.swift", with: "confidentiality.tsv")
        guard let file = fopen(path, "r") else { return [] }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = fread(&bytes, 1, bytes.count, file)
        var rows: [TableRow] = []
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") where line.first != "#" {
            let fields = line.split(separator: "\t").map { String($0) }
            guard fields.count == 5 else { continue }
            // Of repeating groups the first.
            let digits = fields[0].map { $0 == "X" ? "0" : $0 }
            guard let tag = Tag(hex: String(digits).utf8) else { continue }
            let letters = Array(fields[1].utf8)
            rows.append(
                TableRow(
                    number: rows.count, tag: tag, vr: VR(bytes: letters[0], letters[1]) ?? Dictionary.vr(of: tag),
                    basic: fields[2], cells: Array(fields[3]), keyword: fields[4]))
        }
        return rows
    }()

    /// The attribute with a canary.
    func element(_ number: Int? = nil) -> Element? {
        let number = number ?? self.number
        switch vr {
        case .SQ:
            var item = Dataset()
            item.set(.codeValue, .SH, string: "\(Canary.word)\(number)")
            item.set(.codingSchemeDesignator, .SH, string: "99TEST")
            item.set(.codeMeaning, .LO, string: "\(Canary.word)\(number)")
            item.set(.personName, .PN, string: "\(Canary.word)\(number)")
            item.set(.textValue, .UT, string: "\(Canary.word)\(number)")
            return Element(tag, .SQ, .items([item]))
        case nil: return Element(tag, .LO, .bytes(Canary.value(number, .LO)!))
        case let vr?: return Canary.value(number, vr).map { Element(tag, vr, .bytes($0)) }
        }
    }
}
