import Archive
import Catalog
import DICOM
import SFTP

/// The table of studies that `index.csv` is: where each lies and, as far as the client may search, what it is. RFC 4180, UTF-8.
struct StudyIndex {
    private static let columns: [Tag] = [
        .patientID, .issuerOfPatientID, .patientName, .patientSex, .patientBirthDate, .studyDate, .studyTime,
        .accessionNumber, .studyDescription, .modalitiesInStudy, .numberOfStudyRelatedSeries,
        .numberOfStudyRelatedInstances,
    ]
    private static let header =
        "directory,shown,PatientID,IssuerOfPatientID,PatientName,PatientSex,PatientBirthDate,StudyDate,StudyTime,"
        + "AccessionNumber,StudyDescription,ModalitiesInStudy,NumberOfStudyRelatedSeries,"
        + "NumberOfStudyRelatedInstances\r\n"

    let archive: Archive
    let studies: StudyTree.Listing<StudyTree.Study>

    /// Writes the table, sealed beside memory.
    ///
    /// - Parameter visibility: of which studies attributes are shown.
    func written(as visibility: Visibility) throws -> SealedSpool {
        let spool = try archive.spool()
        try Self.write(Self.header, to: spool)
        // The directories of studies that are shown in full.
        let directories = Swift.Dictionary(
            studies.values.lazy.filter { !$0.value.isMasked }.map { ($0.value.uid, $0.key) }
        ) { first, _ in first }
        var told: Set<OpaqueName> = []
        var failure: (any Error)?
        try archive.find(Query(level: .study, keys: Dataset(), visibility: visibility)) { match in
            do {
                guard let uid = match.attributes.string(.studyInstanceUID), let name = directories[uid] else {
                    return true
                }
                told.insert(name)
                let values = Self.columns.map { match.attributes.strings($0).joined(separator: "\\") }
                try Self.write(Self.line(["\(name)", "full"] + values), to: spool)
                return true
            } catch {
                failure = error
                return false
            }
        }
        if let failure { throw failure }
        for name in studies.names where !told.contains(name) {
            let shown = studies.values[name]?.isMasked == true ? "masked" : "full"
            try Self.write(Self.line(["\(name)", shown] + Self.columns.map { _ in "" }), to: spool)
        }
        return spool
    }

    private static func write(_ text: String, to spool: SealedSpool) throws {
        var failure: ArchiveError?
        Array(text.utf8).withUnsafeBytes { bytes in
            do throws(ArchiveError) { try spool.append(bytes) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// One line. What a spreadsheet would take for a formula, it shall not: values come from everywhere.
    static func line(_ values: [String]) -> String {
        values.map { value in
            var text = value.replacing("\"", with: "\"\"").filter { !$0.isNewline && $0 != "\0" }
            if let first = text.first, "=+-@\t".contains(first) { text = "'" + text }
            return text.contains(where: { ",\"'".contains($0) }) || text.contains(" ") ? "\"\(text)\"" : text
        }.joined(separator: ",") + "\r\n"
    }
}
