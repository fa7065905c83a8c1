import DICOM
import Foundation
import Testing

@testable import Deidentification

/// What the engine goes by against the tables of PS3.15 as they were read from NEMA's DocBook. The file is NEMA's and no
/// part of the project: it is looked for in `shared/data` beside the package, and the tests are skipped without it.
@Suite(.enabled(if: StandardTables.file != nil, "ps3.15-2025e-confidentiality.json is not in ../shared/data"))
struct StandardTests {
    private let tables: StandardTables

    init() throws {
        let file = try #require(StandardTables.file)
        tables = try JSONDecoder().decode(
            StandardTables.self, from: Data(contentsOf: URL(fileURLWithPath: file)))
    }

    /// The rows that the other tests go by are those of the standard.
    @Test func theRowsOfTheTestsAreTheStandards() throws {
        let rows = tables.attributes.filter { !$0.tag.hasPrefix("(gggg") }
        #expect(rows.count == 654 && tables.attributes.count == 655)
        let ours = Swift.Dictionary(grouping: TableRow.all) { $0.tag }
        for row in rows {
            let digits = row.tag.filter { $0.isHexDigit || $0 == "X" }.map { $0 == "X" ? "0" : $0 }
            let tag = try #require(Tag(hex: String(digits).utf8), "\(row.tag)")
            let found = try #require(ours[tag]?.first, "\(row.tag)")
            #expect(found.basic == row.basicProfile, "\(row.tag)")
            #expect(String(found.cells) == row.cells.joined(), "\(row.tag)")
        }
    }

    /// Under the Basic Profile and under each option alone, what the engine does with a row is what its cell says.
    @Test func theEngineGoesByEveryCell() throws {
        for (column, option) in TableRow.options.enumerated() {
            for row in tables.attributes where !row.tag.contains("X") && !row.tag.hasPrefix("(gggg") {
                let tag = try #require(Tag(hex: String(row.tag.filter(\.isHexDigit)).utf8))
                let engine = try #require(Confidentiality.rows[tag.rawValue], "\(row.tag)")
                #expect(engine.code([]).rawValue == row.basicProfile, "\(row.tag)")
                let cell = row.cells[column]
                #expect(
                    engine.code([option]).rawValue == (cell == "-" ? row.basicProfile : cell), "\(row.tag) \(option)")
            }
        }
    }

    @Test func everyConceptIsTreatedAsItsRowSays() throws {
        let rows = tables.concepts.rows
        #expect(rows.count == 211)
        #expect(Array(tables.concepts.columns.dropFirst(7)) == Self.conceptColumns)
        for row in rows {
            let concept = StructuredContentRow.Concept(value: row[1], scheme: row[2], valueType: row[3])
            let engine = try #require(StructuredContentRow.of(concept), "\(row)")
            #expect(engine.code([]).rawValue == row[6], "\(row)")
            for (column, option) in StructuredContentRow.columns.enumerated() {
                let cell = row[7 + column]
                #expect(engine.code([option]).rawValue == (cell.isEmpty ? row[6] : cell), "\(row) \(option)")
            }
        }
    }

    private static let conceptColumns = [
        "Rtn. UIDs Opt.", "Rtn. Dev. Id. Opt.", "Rtn. Inst. Id. Opt.", "Rtn. Pat. Chars. Opt.",
        "Rtn. Long. Full Dates Opt.", "Rtn. Long. Modif. Dates Opt.", "Clean Desc. Opt.",
    ]

    /// Each private attribute of Table E.3.10-1 in an object of its own: it stays with the option, by its creator alone.
    @Test func everySafePrivateAttributeStaysWithTheOptionAndGoesWithout() throws {
        let with = Deidentifier(profile: try Sample.profile([.retainSafePrivate]), key: Sample.key())
        let without = Deidentifier(profile: .basic, key: Sample.key())
        var kept = 0
        for row in tables.privates.rows {
            let digits = row[0].filter(\.isHexDigit)
            let group = try #require(UInt16(digits.prefix(4), radix: 16))
            let last = try #require(UInt16(digits.suffix(2), radix: 16))
            let letters = Array(row[2].utf8)
            guard letters.count >= 2, let vr = VR(bytes: letters[0], letters[1]), let value = Self.value(vr) else {
                continue
            }
            let tag = Tag(UInt32(group) << 16 | 0x1000 | UInt32(last))
            func object(_ creator: String) -> Dataset {
                var object = Sample.image()
                object.set(Tag(UInt32(group) << 16 | 0x0010), .LO, string: creator)
                object.set(Element(tag, vr, .bytes(value)))
                return object
            }
            #expect(try with.run(object(row[1])).dataset.bytes(tag) == value, "\(row)")
            #expect(try !without.run(object(row[1])).dataset.contains(tag), "\(row)")
            #expect(try !with.run(object("NOBODY 1")).dataset.contains(tag), "\(row)")
            kept += 1
        }
        #expect(tables.privates.rows.count == 479 && kept == 391)
    }

    /// A value that names nobody; nil for what is not tried.
    private static func value(_ vr: VR) -> [UInt8]? {
        switch vr {
        case .DS, .IS: Array("12".utf8)
        case .CS: Array("AB".utf8)
        case .LO, .SH, .ST, .LT, .UT: Array("thorax".utf8)
        case .US, .SS: [3, 0]
        case .UL, .SL, .FL: [3, 0, 0, 0]
        case .FD: [0, 0, 0, 0, 0, 0, 0, 0x40]
        default: nil
        }
    }
}

/// Tables E.1-1, E.3.4-1 and E.3.10-1 of DICOM PS3.15 2025e as a file.
struct StandardTables: Decodable {
    struct Attribute: Decodable {
        var tag: String
        var basicProfile: String
        var rtnSafePrivOpt: String?
        var rtnUIDsOpt: String?
        var rtnDevIdOpt: String?
        var rtnInstIdOpt: String?
        var rtnPatCharsOpt: String?
        var rtnLongFullDatesOpt: String?
        var rtnLongModifDatesOpt: String?
        var cleanDescOpt: String?
        var cleanStructContOpt: String?
        var cleanGraphOpt: String?

        /// In the order of `TableRow.options`.
        var cells: [String] {
            [
                rtnSafePrivOpt, rtnUIDsOpt, rtnDevIdOpt, rtnInstIdOpt, rtnPatCharsOpt, rtnLongFullDatesOpt,
                rtnLongModifDatesOpt, cleanDescOpt, cleanStructContOpt, cleanGraphOpt,
            ].map { $0 ?? "-" }
        }
    }

    struct Table: Decodable {
        var columns: [String]
        var rows: [[String]]
    }

    var attributes: [Attribute]
    var concepts: Table
    var privates: Table

    enum CodingKeys: String, CodingKey {
        case attributes = "E.1-1"
        case concepts = "E.3.4-1"
        case privates = "E.3.10-1"
    }

    /// Nil where it is not beside the package.
    static let file: String? = {
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = package.deletingLastPathComponent().path + "/shared/data/ps3.15-2025e-confidentiality.json"
        return FileManager.default.fileExists(atPath: path) ? path : nil
    }()
}
