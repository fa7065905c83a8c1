import DICOM

/// What an object is called, before its bytes.
public struct MediaObject: Sendable {
    public var sopClassUID: String
    public var sopInstanceUID: String
    public var transferSyntaxUID: String
    /// Where the catalogue has it; empty when only the object knows.
    public var studyInstanceUID: String
    public var seriesInstanceUID: String
    /// Tells apart patients of one identifier; the record has only what the object says itself.
    public var issuerOfPatientID: String

    public init(
        sopClassUID: String, sopInstanceUID: String, transferSyntaxUID: String, studyInstanceUID: String = "",
        seriesInstanceUID: String = "", issuerOfPatientID: String = ""
    ) {
        self.sopClassUID = sopClassUID
        self.sopInstanceUID = sopInstanceUID
        self.transferSyntaxUID = transferSyntaxUID
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.issuerOfPatientID = issuerOfPatientID
    }
}

/// What a file-set holds.
public struct FileSetSummary: Codable, Sendable {
    public var objects = 0
    public var patients = 0
    public var studies = 0
    public var series = 0
    /// Records by their type.
    public var records: [String: Int] = [:]
    /// Objects by Transfer Syntax UID.
    public var transferSyntaxes: [String: Int] = [:]
    /// How many required values of records were made up because the objects lack them, by keyword.
    public var madeUp: [String: Int] = [:]

    public init() {}
}

/// Why one object is not in the file-set; the others are.
public enum LeftOut: String, Error, Sendable, CustomStringConvertible {
    case sameInstance
    case unreadable

    public var description: String {
        switch self {
        case .sameInstance: "its SOP Instance UID is in the file-set already, with other content"
        case .unreadable: "its header breaks a bound of the reader"
        }
    }
}

/// Writes a file-set: objects as they come, in any order, and a DICOMDIR that lists them. PS3.10 §8.
///
/// Used by one thread. Holds one header, the records of patients, studies and series, and about 60 bytes for each
/// object. Names are running numbers, for a UID or a patient's value in one would tell who was examined.
public final class FileSetWriter {
    /// Files in one folder, which every file system bears.
    public static let folderFileLimit = 1000
    /// What six digits name.
    public static let folderLimit = 999_999

    private let output: any MediaOutput
    private let fileSetID: String
    private var directory: DirectoryWriter
    private var summary = FileSetSummary()

    private struct Folder {
        var number: Int
        var fileCount = 0
    }
    private struct StudyFolder {
        var number: Int
        var folderCount = 0
        var series: [String: Folder] = [:]
    }
    private var folders: [String: StudyFolder] = [:]
    private var patients: [String: Int] = [:]
    private var studies: [String: Int] = [:]
    private var series: [String: Int] = [:]
    /// Digests of SOP Instance UIDs, keyed anew in every process: 128 bits do not meet by chance or by intent.
    private var instances: Set<UInt128> = []

    private var scanner: DatasetScanner?
    private var current: (object: MediaObject, fileID: FileID)?

    /// - Parameter fileSetID: (0004,1130), what a reader may show as the medium's name; may be empty.
    public init(output: any MediaOutput, fileSetID: String) throws(MediaError) {
        guard fileSetID.utf8.count <= 16, fileSetID.utf8.allSatisfy(Self.isCode) else { throw .badFileSetID }
        self.output = output
        self.fileSetID = fileSetID
        directory = DirectoryWriter(spool: try output.spool())
    }

    private static func isCode(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
            UInt8(ascii: " "):
            true
        default: false
        }
    }

    // MARK: Objects

    /// Objects that are in the file-set so far.
    public var objectCount: Int { summary.objects }

    /// Begins an object; its dataset follows.
    public func begin(_ object: MediaObject) throws(MediaError) {
        let fileID = try place(object)
        let syntax = TransferSyntax(uid: object.transferSyntaxUID)
        try output.begin(fileID)
        try output.write(
            Part10.header(
                sopClassUID: object.sopClassUID, sopInstanceUID: object.sopInstanceUID, transferSyntax: syntax))
        current = (object, fileID)
        scanner = DatasetScanner(transferSyntax: syntax)
    }

    public func append(_ bytes: UnsafeRawBufferPointer) throws(MediaError) {
        // An object whose header cannot be read is left out at its end.
        do throws(ParseError) { try scanner?.feed(bytes) } catch { scanner = nil }
        try output.write(bytes)
    }

    /// Ends the object.
    ///
    /// - Returns: nil when it is in the file-set.
    public func end() throws(MediaError) -> LeftOut? {
        guard let (object, fileID) = current else { return nil }
        current = nil
        var header: Dataset?
        if let scanner = scanner.take() {
            do throws(ParseError) { header = try scanner.finish().header } catch { header = nil }
        }
        let why: LeftOut?
        if let header, !header.isEmpty {
            why = instances.contains(digest(object.sopInstanceUID)) ? .sameInstance : nil
        } else {
            why = .unreadable
        }
        guard let header, why == nil else {
            output.discard()
            return why
        }
        try output.end()
        instances.insert(digest(object.sopInstanceUID))
        try list(object, fileID, header)
        return nil
    }

    /// The object that was begun is not to be there.
    public func discard() {
        current = nil
        scanner = nil
        output.discard()
    }

    /// Writes the DICOMDIR and gives the file-set its name.
    public func finish() throws(MediaError) -> FileSetSummary {
        guard let fileID = FileID(["DICOMDIR"]) else { throw .badFileSetID }
        try output.begin(fileID)
        try directory.write(fileSetID: fileSetID, fileSetUID: UIDs.generate()) { bytes throws(MediaError) in
            try output.write(bytes)
        }
        try output.end()
        try output.commit()
        return summary
    }

    /// Removes what was written.
    public func abandon() { output.abandon() }

    private func digest(_ uid: String) -> UInt128 {
        func half(_ salt: UInt8) -> UInt128 {
            var hasher = Hasher()
            hasher.combine(salt)
            hasher.combine(uid)
            return UInt128(UInt64(bitPattern: Int64(hasher.finalize())))
        }
        return half(0) << 64 | half(1)
    }

    // MARK: Names

    private func place(_ object: MediaObject) throws(MediaError) -> FileID {
        var study = folders[object.studyInstanceUID] ?? StudyFolder(number: folders.count + 1)
        var folder = study.series[object.seriesInstanceUID]
        if folder.map({ $0.fileCount >= Self.folderFileLimit }) ?? true {
            study.folderCount += 1
            folder = Folder(number: study.folderCount)
        }
        folder?.fileCount += 1
        study.series[object.seriesInstanceUID] = folder
        folders[object.studyInstanceUID] = study
        let numbers = [study.number, folder?.number ?? 0]
        let names = zip(["ST", "SE", "IM"], numbers + [folder?.fileCount ?? 0]).map { prefix, number in
            let digits = String(number)
            return prefix + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
        }
        guard let fileID = FileID(["DICOM"] + names) else { throw .tooManyFolders(limit: Self.folderLimit) }
        return fileID
    }

    // MARK: Records

    private func list(_ object: MediaObject, _ fileID: FileID, _ header: Dataset) throws(MediaError) {
        let type = DirectoryRecordType(sopClassUID: object.sopClassUID, isImage: (header.int(.rows) ?? 0) > 0)
        let index = type.isRoot ? nil : try seriesIndex(object, header)
        let record = DirectoryRecord(
            type, header: header, number: index.map { directory.objectCount(ofSeries: $0) + 1 } ?? summary.objects + 1,
            reference: .init(
                fileID: fileID, sopClassUID: object.sopClassUID, sopInstanceUID: object.sopInstanceUID,
                transferSyntaxUID: object.transferSyntaxUID))
        try directory.addObject(record.bytes, series: index)
        count(record, type)
        summary.objects += 1
        summary.transferSyntaxes[object.transferSyntaxUID, default: 0] += 1
    }

    /// The series' record, made with those above it at its first object.
    ///
    /// A study that comes under two patients, or a series under two studies, is listed under each.
    private func seriesIndex(_ object: MediaObject, _ header: Dataset) throws(MediaError) -> Int {
        func known(_ known: String, _ tag: Tag) -> String { known.isEmpty ? header.string(tag) ?? "" : known }
        let studyUID = known(object.studyInstanceUID, .studyInstanceUID)
        let seriesUID = known(object.seriesInstanceUID, .seriesInstanceUID)
        let patientID = header.string(.patientID) ?? ""
        let issuer = known(object.issuerOfPatientID, .issuerOfPatientID)
        // Without an identifier nobody says that two studies are of one patient.
        let patientKey =
            patientID.isEmpty
            ? "\u{1F}" + studyUID + "\u{1F}" + (header.string(.patientName) ?? "")
            : patientID + "\u{1F}" + issuer
        let studyKey = patientKey + "\u{1F}" + studyUID
        let seriesKey = studyKey + "\u{1F}" + seriesUID
        if let index = series[seriesKey] { return index }
        let study: Int
        if let known = studies[studyKey] {
            study = known
        } else {
            study = try addStudy(studyKey, header, studyUID, patientIndex(patientKey, header))
        }
        let record = DirectoryRecord(
            .series, header: header, number: directory.seriesCount(ofStudy: study) + 1,
            overrides: [.seriesInstanceUID: seriesUID])
        count(record, .series)
        summary.series += 1
        let index = try directory.addSeries(record.bytes, study: study)
        series[seriesKey] = index
        return index
    }

    private func patientIndex(_ key: String, _ header: Dataset) throws(MediaError) -> Int {
        if let known = patients[key] { return known }
        let record = DirectoryRecord(.patient, header: header, number: summary.patients + 1)
        count(record, .patient)
        summary.patients += 1
        let index = try directory.addPatient(record.bytes)
        patients[key] = index
        return index
    }

    private func addStudy(
        _ key: String, _ header: Dataset, _ uid: String, _ patient: Int
    ) throws(MediaError) -> Int {
        let record = DirectoryRecord(
            .study, header: header, number: directory.studyCount(ofPatient: patient) + 1,
            overrides: [.studyInstanceUID: uid])
        count(record, .study)
        summary.studies += 1
        let index = try directory.addStudy(record.bytes, patient: patient)
        studies[key] = index
        return index
    }

    private func count(_ record: DirectoryRecord, _ type: DirectoryRecordType) {
        summary.records[type.rawValue, default: 0] += 1
        for keyword in record.madeUp { summary.madeUp[keyword, default: 0] += 1 }
    }
}
