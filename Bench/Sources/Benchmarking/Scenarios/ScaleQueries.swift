import Foundation
import Loading

/// The ways of asking that must not grow with the catalogue, each for one of the families that every catalogue has.
enum ScaleQueries: String, CaseIterable {
    case patientID = "patient id"
    case patientIDPrefix = "patient id, prefix"
    case accession = "accession number"
    case namePrefix = "name, prefix"
    case nameInfix = "name, infix"
    case ideographPrefix = "one ideograph, prefix"
    case ideographInfix = "one ideograph, infix"
    case twoIdeographs = "two ideographs, prefix"
    case twoIdeographsInfix = "two ideographs, infix"
    case pinyin = "pinyin"
    case dateRange = "date range"
    case nameAndDate = "name and date"

    /// The query of a turn; turns go through the families.
    func identifier(_ turn: Int) -> Data {
        let half = Base.familyCount / 2
        let family = turn % half
        // Families of even number bear ideographs, odd ones letters.
        let chinese = 2 * family * Base.familySize + turn / half % Base.familySize
        let latin = Base.latin[family]
        let surname = String(Base.surnames[family])
        let generation = String(Base.generation[family])
        let member = String(Base.givens[chinese % Base.familySize])
        let year = 1930 + 2 * family
        switch self {
        case .patientID: return RawMessages.studies([.patientID: Base.identifier(chinese)])
        case .patientIDPrefix: return RawMessages.studies([.patientID: "B\(10 + 2 * family)-*"])
        case .accession: return RawMessages.studies([.accessionNumber: Base.accession(chinese)])
        case .namePrefix: return RawMessages.studies([.patientName: latin.prefix(5).lowercased() + "*"])
        case .nameInfix: return RawMessages.studies([.patientName: "*\(latin.dropFirst().prefix(6).lowercased())*"])
        case .ideographPrefix: return RawMessages.studies([.patientName: surname + "*"])
        case .ideographInfix: return RawMessages.studies([.patientName: "*\(generation)*"])
        case .twoIdeographs: return RawMessages.studies([.patientName: surname + generation + "*"])
        case .twoIdeographsInfix: return RawMessages.studies([.patientName: "*\(generation)\(member)*"])
        case .pinyin: return RawMessages.studies([.patientName: Self.pinyin(family, chinese % Base.familySize)])
        case .dateRange: return RawMessages.studies([.studyDate: "\(year)0101-\(year)0131"])
        case .nameAndDate:
            return RawMessages.studies([.patientName: surname + "*", .studyDate: "\(year)0101-20261231"])
        }
    }

    /// As it would be typed: surname, space, given name.
    private static func pinyin(_ family: Int, _ member: Int) -> String {
        "\(surnames[family]) \(generations[family])\(members[member])"
    }

    private static let surnames = """
        pang li qi sui nai she zhuo jia zi kan gou tou chao lu qu nie wei guo ning zan kuai zhu bian zhang mi
        """.split(whereSeparator: \.isWhitespace)
    private static let generations = """
        he ying xi heng chong qian jing xu shi wan hua yu yi yun ji min yue xi yi zheng yi yun han cong shu
        """.split(whereSeparator: \.isWhitespace)
    private static let members = """
        ming hua wei qiang li min jing lei jun yang yong yan jie juan tao chao xia ping gang hui
        """.split(whereSeparator: \.isWhitespace)
}
