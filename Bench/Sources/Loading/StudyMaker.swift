import Catalog
import DICOM

/// Makes synthetic studies of two objects each.
public struct StudyMaker: Sendable {
    public static let objectsPerStudy = 2

    private let seed: UInt64
    /// Milliseconds since 1970 at which the first object came.
    private let start: Int64 = 1_700_000_000_000

    public init(seed: UInt64) { self.seed = seed }

    /// Objects of sixteen scanners, each with numbers that rise.
    public func studyInstanceUID(_ index: Int) -> String {
        "1.2.826.0.1.3680043.9.7777.\(index % 16 + 1).\(20_000_000 + index)"
    }

    /// The records of one study's objects.
    ///
    /// - Parameter index: from 0; the first thousand are the families of `Base`.
    func records(_ index: Int) -> [InstanceRecord] {
        headers(index).enumerated().map { record($1, index: index, number: $0) }
    }

    /// One object of a study as C-STORE sends it, in Explicit VR Little Endian.
    ///
    /// - Parameter pixelByteCount: of its pixel data; even.
    public func object(
        _ index: Int, number: Int, pixelByteCount: Int
    ) -> (sopClass: String, instance: String, dataset: [UInt8]) {
        var header = headers(index)[number]
        header.set(.bitsAllocated, .US, ints: [16])
        var dataset = header.encoded(transferSyntax: .explicitVRLittleEndian)
        dataset += [0xE0, 0x7F, 0x10, 0x00, UInt8(ascii: "O"), UInt8(ascii: "W"), 0, 0]
        withUnsafeBytes(of: UInt32(pixelByteCount).littleEndian) { dataset += $0 }
        dataset += (0..<pixelByteCount).map { UInt8(truncatingIfNeeded: $0 &* index) }
        return (Self.sopClass, header.string(.sopInstanceUID) ?? "", dataset)
    }

    private static let sopClass = "1.2.840.10008.5.1.4.1.1.2"

    /// Patient ID (0010,0020) of a study's patient.
    public static func patientID(ofStudy index: Int) -> String {
        index < Base.studyCount ? Base.identifier(index) : identifier(person(ofStudy: index))
    }

    /// Three of ten studies are a patient's second.
    private static func person(ofStudy index: Int) -> Int {
        index < Base.studyCount || index % 10 < 7 || index < Base.studyCount + 10 ? index : index - 5
    }

    private func headers(_ index: Int) -> [Dataset] {
        var random = Seeded(state: seed ^ UInt64(index) &* 0x2545_F491_4F6C_DD1D)
        let isBase = index < Base.studyCount
        let person = Self.person(ofStudy: index)
        var personal = Seeded(state: seed ^ UInt64(person) &* 0x9E6C_63D0_876A_68EE)
        let name = isBase ? Base.name(index) : People.name(&personal)
        let identifier = Self.patientID(ofStudy: index)
        let date = isBase ? Base.date(index) : Self.date(from: 1990, to: 2026, &random)
        let modality = ["CT", "MR", "DX", "US"][Int.random(in: 0..<4, using: &random)]
        let root = studyInstanceUID(index)
        return (0..<Self.objectsPerStudy).map { number in
            var header = Dataset()
            func set(_ tag: Tag, _ value: String) {
                header.set(tag, Dictionary.vr(of: tag) ?? .LO, strings: [value])
            }
            set(.patientName, name)
            set(.patientID, identifier)
            set(.patientBirthDate, Self.date(from: 1930, to: 2020, &personal))
            set(.patientSex, person.isMultiple(of: 2) ? "F" : "M")
            set(.studyInstanceUID, root)
            set(.studyDate, date)
            set(.studyTime, "\(10 + index % 10)\(10 + index % 50)\(10 + index % 49)")
            set(.accessionNumber, isBase ? Base.accession(index) : Self.accession(index))
            set(.studyID, "\(index % 9000 + 1000)")
            set(.studyDescription, "\(modality) CHEST ROUTINE")
            set(.referringPhysicianName, "Li^Na=李^娜")
            set(.seriesInstanceUID, root + ".1")
            set(.modality, modality)
            set(.seriesNumber, "1")
            set(.seriesDescription, "AXIAL 5.0")
            set(.bodyPartExamined, "CHEST")
            set(.institutionName, "City Hospital")
            set(.manufacturer, "MAKER")
            set(.stationName, "STATION\(index % 16)")
            set(.instanceNumber, "\(number + 1)")
            set(.contentDate, date)
            set(.imageType, "ORIGINAL\\PRIMARY\\AXIAL")
            set(.sliceLocation, "\(number * 5)")
            header.set(.rows, .US, ints: [512])
            header.set(.columns, .US, ints: [512])
            set(.sopClassUID, Self.sopClass)
            set(.sopInstanceUID, "\(root).1.\(number + 1)")
            return header
        }
    }

    private func record(_ header: Dataset, index: Int, number: Int) -> InstanceRecord {
        let sequence = UInt64(index * Self.objectsPerStudy + number + 1)
        return InstanceRecord(
            sequence: sequence, header: header, sopInstanceUID: header.string(.sopInstanceUID) ?? "",
            sopClassUID: Self.sopClass,
            defaultIssuer: "HUIZHEN", transferSyntaxUID: "1.2.840.10008.1.2.1", byteCount: 526_000,
            digest: (0..<32).map { UInt8(truncatingIfNeeded: sequence &* 31 &+ $0 &* 7) },
            sender: Sender(peer: "STATION\(index % 16)", institution: Base.institution, door: "dimse"),
            receivedAt: start + Int64(sequence), policy: .keep, pixelDataLayout: [], placeholderUID: { $0 })
    }

    /// Sixteen bytes that name the study's key.
    func studyKey(_ index: Int) -> [UInt8] {
        var random = Seeded(state: seed &+ UInt64(index))
        return (0..<2).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    }

    /// Numbers are given out in no order of time, so that indexes are written all over.
    private static func scattered(_ index: Int) -> UInt64 { UInt64(index) &* 2_654_435_761 % 4_294_967_296 }

    private static func identifier(_ person: Int) -> String { padded("H", scattered(person), 10) }

    private static func accession(_ index: Int) -> String { padded("A", scattered(index), 10) }

    private static func padded(_ prefix: String, _ number: UInt64, _ count: Int) -> String {
        let digits = String(number)
        return prefix + String(repeating: "0", count: max(0, count - digits.count)) + digits
    }

    private static func date(from first: Int, to last: Int, _ random: inout Seeded) -> String {
        let (month, day) = (Int.random(in: 1...12, using: &random), Int.random(in: 1...28, using: &random))
        return "\(Int.random(in: first...last, using: &random))" + (month < 10 ? "0\(month)" : "\(month)")
            + (day < 10 ? "0\(day)" : "\(day)")
    }
}
