import Access
import Catalog

extension Archive {
    /// Counts of studies that an act of statistics may reach. Walks over the studies; seconds for a million.
    public func statistics(_ reach: Reach) throws(ArchiveError) -> [StudyStatistic] {
        let counts = try ask { catalog throws(CatalogError) in
            try catalog.studyCounts(visibility: Visibility(reach))
        }
        return counts.map { one in
            let month = one.month.isEmpty ? "" : one.month.prefix(4) + "-" + one.month.suffix(2)
            return StudyStatistic(
                institution: one.institution, modality: one.modality, month: String(month), count: one.count)
        }
    }

    /// The institutions that hold anything of a patient or study, for emergency access.
    public func owners(of subject: Emergency.Subject) throws(ArchiveError) -> Set<String> {
        try ask { catalog throws(CatalogError) in
            switch subject {
            case .patient(let patient):
                try catalog.institutions(patientID: patient.patientID, issuer: patient.issuer)
            case .study(let uid): try catalog.institutions(studyInstanceUID: uid)
            }
        }
    }

    /// Whose a study of an institution is; nobody's where it is not held.
    public func patients(of study: String, sentBy institution: String) throws(ArchiveError) -> Set<Sight.Patient> {
        try ask { catalog throws(CatalogError) in
            try catalog.patients(studyInstanceUID: study, institution: institution)
        }
    }
}
