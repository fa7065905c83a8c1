import DICOM
import Foundation
import Media
import Testing

/// Swift Testing has a `Tag` of its own.
typealias Tag = DICOM.Tag

/// Objects and DICOMDIRs made by hand.
enum Fixture {
    static let ct = "1.2.840.10008.5.1.4.1.1.2"

    /// Fresh, and removed at the end of the run.
    static func folder() throws -> String {
        let path = root + "/" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }

    private static let root: String = {
        let path = FileManager.default.temporaryDirectory.path + "/huizhen-media-\(getpid())"
        atexit {
            let path = FileManager.default.temporaryDirectory.path + "/huizhen-media-\(getpid())"
            try? FileManager.default.removeItem(atPath: path)
        }
        return path
    }()

    static func header(
        _ number: Int, study: String = "1.2.1", series: String = "1.2.1.1", patient: String = "P1",
        sopClass: String = ct
    ) -> Dataset {
        var header = Dataset()
        header.set(.sopClassUID, .UI, string: sopClass)
        header.set(.sopInstanceUID, .UI, string: "1.2.9.\(number)")
        header.set(.studyDate, .DA, string: "20260102")
        header.set(.studyTime, .TM, string: "101500")
        header.set(.modality, .CS, string: "CT")
        header.set(.patientName, .PN, string: "Doe^Jane")
        header.set(.patientID, .LO, string: patient)
        header.set(.studyInstanceUID, .UI, string: study)
        header.set(.seriesInstanceUID, .UI, string: series)
        header.set(.studyID, .SH, string: "7")
        header.set(.seriesNumber, .IS, string: "3")
        header.set(.instanceNumber, .IS, string: String(number))
        header.set(.rows, .US, ints: [1])
        header.set(.columns, .US, ints: [1])
        return header
    }

    static func object(_ header: Dataset) -> MediaObject {
        MediaObject(
            sopClassUID: header.string(.sopClassUID) ?? "", sopInstanceUID: header.string(.sopInstanceUID) ?? "",
            transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid,
            studyInstanceUID: header.string(.studyInstanceUID) ?? "",
            seriesInstanceUID: header.string(.seriesInstanceUID) ?? "")
    }

    @discardableResult
    static func write(_ header: Dataset, to writer: FileSetWriter) throws -> LeftOut? {
        try writer.begin(object(header))
        let bytes = header.encoded(transferSyntax: .explicitVRLittleEndian)
        try bytes.withUnsafeBytes { try writer.append($0) }
        return try writer.end()
    }

    static func directory(at path: String) throws -> FileSetDirectory {
        directory([UInt8](try #require(FileManager.default.contents(atPath: path))))
    }

    static func directory(
        _ bytes: [UInt8], pieceByteCount: Int = 1000, recordLimit: Int = DirectoryReader.defaultRecordLimit
    ) -> FileSetDirectory {
        var start = 0
        return FileSetDirectory(recordLimit: recordLimit) {
            guard start < bytes.count else { return nil }
            let end = min(start + pieceByteCount, bytes.count)
            defer { start = end }
            return Array(bytes[start..<end])
        }
    }

    struct Record {
        var type = "IMAGE"
        var fileID: String? = "DIR\\FILE"
        var next: UInt32 = 0
        var lower: UInt32 = 0
        var isInUse = true
    }

    /// A DICOMDIR, its records as they are told; `first` nil for the first record's true place.
    static func dicomdir(_ records: [Record], first: UInt32? = nil) -> (bytes: [UInt8], places: [UInt32]) {
        let head = Part10.header(
            sopClassUID: SOPClass.mediaStorageDirectory, sopInstanceUID: "1.2.3",
            transferSyntax: .explicitVRLittleEndian)
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var places: [UInt32] = []
        var items: [UInt8] = []
        let start = head.count + 12 + 12
        for record in records {
            var dataset = Dataset()
            dataset.set(Tag(0x0004_1400), .UL, ints: [Int(record.next)])
            dataset.set(Tag(0x0004_1410), .US, ints: [record.isInUse ? 0xFFFF : 0])
            dataset.set(Tag(0x0004_1420), .UL, ints: [Int(record.lower)])
            dataset.set(.directoryRecordType, .CS, string: record.type)
            if let fileID = record.fileID { dataset.set(.referencedFileID, .CS, string: fileID) }
            let body = dataset.encoded(transferSyntax: .explicitVRLittleEndian)
            places.append(UInt32(start + items.count))
            items += [0xFE, 0xFF, 0x00, 0xE0] + number(body.count, 4) + body
        }
        var bytes = head
        bytes += [0x04, 0x00, 0x00, 0x12, 0x55, 0x4C, 0x04, 0x00]
        bytes += number(Int(first ?? places.first ?? 0), 4)
        bytes += [0x04, 0x00, 0x20, 0x12, 0x53, 0x51, 0x00, 0x00] + number(items.count, 4)
        return (bytes + items, places)
    }
}
