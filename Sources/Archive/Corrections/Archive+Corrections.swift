import BlobStore
import Catalog
import DICOM

/// A patient as the operator names one: the issuer may be left out where the ID says it all.
public struct PatientName: Sendable, Hashable {
    public var patientID: String
    public var issuer: String?

    public init(patientID: String, issuer: String?) {
        self.patientID = patientID
        self.issuer = issuer
    }
}

/// What the operator wants corrected.
public enum CorrectionOrder: Sendable {
    /// Everything of one patient is the other's.
    case merge(from: PatientName, into: PatientName)
    /// The patient of a study who has no Patient ID is this one.
    case identify(studyInstanceUID: String, as: PatientName)
    /// Series become a study of their own, or part of another; and may be another patient's.
    case split(studyInstanceUID: String, series: [String], into: String?, patient: PatientName?)
    case setPatient(PatientName, Dataset)
    case setStudy(String, Dataset)
    case setSeries(String, Dataset)
    case undo(number: UInt64)
}

/// What a correction did, or would do.
public struct CorrectionResult: Sendable {
    /// The new correction's number, or that of the one taken back; 0 for a dry run.
    public var number: UInt64
    public var reach: CorrectionReach
    /// The study that series were split into.
    public var studyInstanceUID: String?
    /// Keywords of the attributes that change.
    public var attributes: [String]
}

extension Archive {
    /// Puts a rule in force, or takes one back; with `isDryRun` it says only what that would do.
    ///
    /// The stored bytes stay. Stores wait meanwhile, and every record that is reached is read once. On return every
    /// query sees it, and it survives a power cut.
    ///
    /// - Parameters:
    ///   - author: who orders it.
    ///   - reason: why; it may not be empty.
    /// - Throws: `.correction` with what is wrong with the order; `.full`.
    public func correct(
        _ order: CorrectionOrder, author: String, reason: String, isDryRun: Bool = false
    ) throws(ArchiveError) -> CorrectionResult {
        try Self.check(author: author, reason: reason)
        return try gate.alone { () throws(ArchiveError) in
            // One of these may be a correction, with a number.
            try applyLateEvents()
            if case .undo(let number) = order {
                return try undo(number, author: author, reason: reason, isDryRun: isDryRun)
            }
            var correction = try plan(order, author: author, reason: reason)
            try check(correction)
            let reach = try ask { catalog throws(CatalogError) in try catalog.reach(of: correction.scope) }
            guard reach.instances <= settings.correctedInstanceLimit else {
                throw .correction(.tooMuch(limit: settings.correctedInstanceLimit))
            }
            if !isDryRun {
                correction.number = try ask { catalog throws(CatalogError) in
                    try catalog.lastCorrectionNumber() + 1
                }
                correction.at = Self.now()
                try record(.corrected(.made(correction)))
            }
            let tags = Set(correction.patch.elements.map(\.tag)).union(correction.removing)
            return CorrectionResult(
                number: correction.number, reach: reach,
                studyInstanceUID: correction.patch.string(.studyInstanceUID),
                attributes: tags.sorted().compactMap(DICOM.Dictionary.keyword(of:)))
        }
    }

    private func undo(
        _ number: UInt64, author: String, reason: String, isDryRun: Bool
    ) throws(ArchiveError) -> CorrectionResult {
        guard let correction = catalog.rules.standing.first(where: { $0.number == number }) else {
            throw .correction(.notStanding)
        }
        let reach = try ask { catalog throws(CatalogError) in try catalog.reach(ofCorrection: number) }
        if !isDryRun { try record(.corrected(.undone(number: number, author: author, reason: reason))) }
        let tags = Set(correction.patch.elements.map(\.tag)).union(correction.removing)
        return CorrectionResult(
            number: number, reach: reach, studyInstanceUID: nil,
            attributes: tags.sorted().compactMap(DICOM.Dictionary.keyword(of:)))
    }

    private func check(_ correction: Correction) throws(ArchiveError) {
        guard catalog.rules.standing.count < settings.standingCorrectionLimit else {
            throw .correction(.tooManyStanding(limit: settings.standingCorrectionLimit))
        }
        let byteCount = correction.patch.encoded(transferSyntax: .explicitVRLittleEndian).count
        guard byteCount <= Correction.patchByteCountLimit else {
            throw .correction(.tooLarge(limit: Correction.patchByteCountLimit))
        }
        if case .series(let series, _, _) = correction.scope, series.count > Correction.seriesLimit {
            throw .correction(.tooManySeries(limit: Correction.seriesLimit))
        }
    }

    private static func check(author: String, reason: String) throws(ArchiveError) {
        let limit = Correction.reasonByteCountLimit
        let isPlain = [author, reason].allSatisfy { text in
            text.utf8.count <= limit && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        guard isPlain, reason.contains(where: { !$0.isWhitespace }) else { throw .correction(.reason(limit: limit)) }
    }

    // MARK: Planning

    private func plan(
        _ order: CorrectionOrder, author: String, reason: String
    ) throws(ArchiveError) -> Correction {
        switch order {
        case .merge(let from, let into):
            return try merge(try patient(from).patient, try patient(into), author, reason)
        case .identify(let uid, let name):
            let patient = try study(uid).patient
            guard patient.key.hasPrefix("\u{1}") else { throw .correction(.hasPatientID) }
            return try merge(patient, try self.patient(name), author, reason)
        case .split(let uid, let series, let into, let name):
            return try split(uid, series, into, name, author, reason)
        case .setPatient(let name, let patch):
            let scope = Correction.Scope.patient(try patient(name).patient)
            return Correction(kind: .set, scope: scope, patch: patch, author: author, reason: reason)
        case .setStudy(let uid, let patch):
            let scope = Correction.Scope.study(uid, of: try study(uid).patient)
            return Correction(kind: .set, scope: scope, patch: patch, author: author, reason: reason)
        case .setSeries(let uid, let patch):
            let found = try ask { catalog throws(CatalogError) in try catalog.study(ofSeries: uid) }
            guard let found else { throw .notFound }
            let scope = Correction.Scope.series([uid], inStudy: found, of: try study(found).patient)
            return Correction(kind: .set, scope: scope, patch: patch, author: author, reason: reason)
        case .undo: throw .correction(.notStanding)
        }
    }

    private func merge(
        _ from: PatientIdentity, _ into: HeldIdentity, _ author: String, _ reason: String
    ) throws(ArchiveError) -> Correction {
        guard from != into.patient else { throw .correction(.samePatient) }
        // What is merged away is shown no more, so it cannot be the aim; that also keeps rings from closing.
        if let earlier = catalog.rules.isMerged(into.patient) { throw .correction(.mergedAway(earlier.number)) }
        if let earlier = catalog.rules.isMerged(from) { throw .correction(.mergedAway(earlier.number)) }
        return Correction(
            kind: .merge, scope: .patient(from), patch: CorrectableAttributes.identifying(into),
            removing: CorrectableAttributes.qualifying, author: author, reason: reason)
    }

    private func split(
        _ uid: String, _ series: [String], _ into: String?, _ name: PatientName?, _ author: String, _ reason: String
    ) throws(ArchiveError) -> Correction {
        let source = try study(uid)
        guard !series.isEmpty, Set(series).isSubset(of: source.series) else { throw .notFound }
        var patch = Dataset()
        var removing: [Tag] = []
        var target = UIDs.generate()
        var other: HeldIdentity?
        if let into {
            guard into != uid else { throw .correction(.sameStudy) }
            guard name == nil else { throw .correction(.patientOfStudy) }
            let found = try study(into)
            guard found.institution == source.institution else { throw .correction(.otherInstitution) }
            patch = CorrectableAttributes.describing(found)
            target = into
            other = found
        } else if let name {
            other = try patient(name)
        }
        if let other, other.patient != source.patient {
            if let earlier = catalog.rules.isMerged(other.patient) { throw .correction(.mergedAway(earlier.number)) }
            patch.merge(CorrectableAttributes.identifying(other))
            removing = LevelAttributes.patient.filter { !patch.contains($0) }.sorted()
        }
        patch.set(.studyInstanceUID, .UI, strings: [target])
        return Correction(
            kind: .split, scope: .series(series.sorted(), inStudy: uid, of: source.patient), patch: patch,
            removing: removing, author: author, reason: reason)
    }

    private func study(_ uid: String) throws(ArchiveError) -> HeldIdentity {
        let found = try ask { catalog throws(CatalogError) in try catalog.study(studyInstanceUID: uid) }
        guard let found else { throw .notFound }
        return found
    }

    private func patient(_ name: PatientName) throws(ArchiveError) -> HeldIdentity {
        guard !name.patientID.isEmpty else { throw .notFound }
        let found = try ask { catalog throws(CatalogError) in try catalog.patients(patientID: name.patientID) }
            .filter { name.issuer == nil || $0.patient.issuer == name.issuer }
        guard let first = found.first else { throw .notFound }
        guard found.count == 1 else { throw .correction(.ambiguousPatient) }
        return first
    }
}

extension Archive {
    /// The corrections that apply to a stored object, in their order.
    func corrections(of object: StoredObject) throws(ArchiveError) -> [Correction] {
        try corrections(of: object, under: catalog.rules)
    }

    private func corrections(
        of object: StoredObject, under rules: CorrectionRules
    ) throws(ArchiveError) -> [Correction] {
        rules.isEmpty ? [] : rules.view(of: try object.record()).applied
    }

    /// Whether what is sent of an object may differ from what is stored.
    public var hasCorrections: Bool { !catalog.rules.isEmpty }

    /// Whether corrections apply to an object: then it goes out by `write`, and its stored bytes are not what is shown.
    public func isCorrected(_ object: StoredObject) throws(ArchiveError) -> Bool {
        try !corrections(of: object).isEmpty
    }

    /// The DICOM JSON model of an object's header with the corrections that apply to it. PS3.18 Annex F.
    ///
    /// As it was written at ingest where none does; else the header is read again.
    public func metadata(of object: StoredObject) throws(ArchiveError) -> [UInt8] {
        try metadata(of: object, under: catalog.rules)
    }

    func metadata(of object: StoredObject, under rules: CorrectionRules) throws(ArchiveError) -> [UInt8] {
        let corrections = try corrections(of: object, under: rules)
        if corrections.isEmpty { return try object.metadata() }
        let form = try correctedForm(of: object, corrections)
        let isExplicit = TransferSyntax(uid: object.holding.transferSyntaxUID).isExplicitVR
        var bytes: [UInt8] = []
        (isExplicit ? form.shown : form.shown.withResolvedVRs()).json(into: &bytes)
        return bytes
    }

    private func correctedForm(
        of object: StoredObject, _ corrections: [Correction]
    ) throws(ArchiveError) -> CorrectedForm {
        try CorrectedForm(
            header: try header(of: object, holding: CorrectedForm.former(corrections)), corrections: corrections,
            source: object.holding.sender.peer)
    }

    /// An object's header, text in UTF-8, with the corrections that apply to it; nil where none does.
    func correctedHeader(of object: StoredObject) throws(ArchiveError) -> Dataset? {
        let corrections = try corrections(of: object)
        return corrections.isEmpty ? nil : try correctedForm(of: object, corrections).shown
    }

    /// An object's header up to its pixel data, text in UTF-8, with the corrections that apply to it; values that are long by
    /// their place only.
    public func shownHeader(of object: StoredObject) throws(ArchiveError) -> Dataset {
        if let corrected = try correctedHeader(of: object) { return corrected }
        return try InstanceContent(object).header()
    }

    /// The corrections that stand: what was read under others may no longer be what is shown.
    public var standingCorrections: [UInt64] { catalog.rules.standing.map(\.number) }

    /// What the catalogue shows of a stored object: its record with the corrections that apply.
    public func shownRecord(of object: StoredObject) throws(ArchiveError) -> InstanceRecord {
        catalog.rules.view(of: try object.record()).record
    }

    /// Reads the records that a correction needs anew.
    var originals: OriginalRecord { Self.originals(in: blobs, settings.privateAttributes) }

    static func originals(in blobs: BlobStore, _ privates: PrivatePolicy) -> OriginalRecord {
        { pack, offset in
            guard let reader = try? blobs.open(BlobLocation(pack: pack, offset: offset)) else { return nil }
            return record(of: reader, privates)
        }
    }
}
