import Archive
import Catalog
import Control
import DICOM

extension Operations {
    /// Carries out what `huizhen correct` asks for.
    func correct(_ request: CorrectionRequest, author: String) throws -> ControlReply {
        let order: CorrectionOrder
        let reason: String
        let isDryRun: Bool
        switch request {
        case .list: return .corrections(try service.archive.catalog.corrections().map(CorrectionReport.init))
        case .merge(let from, let into, let why, let dry):
            (order, reason, isDryRun) = (.merge(from: PatientName(from), into: PatientName(into)), why, dry)
        case .identify(let study, let into, let why, let dry):
            (order, reason, isDryRun) = (.identify(studyInstanceUID: study, as: PatientName(into)), why, dry)
        case .split(let study, let series, let into, let patient, let why, let dry):
            order = .split(
                studyInstanceUID: study, series: series, into: into, patient: patient.map { PatientName($0) })
            (reason, isDryRun) = (why, dry)
        case .setPatient(let patient, let values, let why, let dry):
            order = .setPatient(PatientName(patient), try patch(values, at: .patient))
            (reason, isDryRun) = (why, dry)
        case .setStudy(let uid, let values, let why, let dry):
            (order, reason, isDryRun) = (.setStudy(uid, try patch(values, at: .study)), why, dry)
        case .setSeries(let uid, let values, let why, let dry):
            (order, reason, isDryRun) = (.setSeries(uid, try patch(values, at: .series)), why, dry)
        case .undo(let number, let why, let dry): (order, reason, isDryRun) = (.undo(number: number), why, dry)
        }
        let result = try service.archive.correct(order, author: author, reason: reason, isDryRun: isDryRun)
        if !isDryRun {
            service.logger.notice(
                "corrected",
                metadata: ["number": "\(result.number)", "by": "\(author)", "instances": "\(result.reach.instances)"])
        }
        return .corrected(
            CorrectionSummary(
                number: result.number, studies: result.reach.studies, series: result.reach.series,
                instances: result.reach.instances, studyInstanceUID: result.studyInstanceUID,
                attributes: result.attributes))
    }

    private func patch(
        _ values: [CorrectionRequest.Assignment], at level: CorrectableAttributes.Level
    ) throws(ArchiveError) -> Dataset {
        try CorrectableAttributes.patch(values.map { ($0.keyword, $0.value) }, at: level)
    }
}

extension PatientName {
    fileprivate init(_ patient: CorrectionRequest.Patient) {
        self.init(patientID: patient.patientID, issuer: patient.issuer)
    }
}

extension CorrectionReport {
    fileprivate init(_ entry: CorrectionEntry) {
        let correction = entry.correction
        var study: String?
        var series: [String] = []
        switch correction.scope {
        case .patient: break
        case .study(let uid, _): study = uid
        case .series(let uids, let uid, _): (study, series) = (uid, uids)
        }
        let patient = correction.scope.patient
        var values: [String: String] = [:]
        for element in correction.patch.elements {
            values[DICOM.Dictionary.keyword(of: element.tag) ?? element.tag.hex] =
                correction.patch.strings(element.tag).joined(separator: "\\")
        }
        self.init(
            number: correction.number, kind: "\(correction.kind)", at: correction.at, author: correction.author,
            reason: correction.reason, patientID: patient.key.hasPrefix("\u{1}") ? "" : patient.key,
            issuer: patient.issuer, study: study, series: series, values: values,
            removed: correction.removing.compactMap(DICOM.Dictionary.keyword(of:)), instances: entry.instanceCount)
        undoneAt = entry.undone?.at
        undoneBy = entry.undone?.author
        undoneReason = entry.undone?.reason
    }
}
