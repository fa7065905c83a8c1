import DICOM

/// The rules that stand, and what they make of an object's record.
public struct CorrectionRules: Sendable {
    /// In the order of their numbers.
    public private(set) var standing: [Correction] = []
    private var index: [Correction.Scope: [Int]] = [:]

    public init(_ corrections: [Correction] = []) {
        standing = corrections.sorted { $0.number < $1.number }
        for (position, correction) in standing.enumerated() {
            for key in Self.keys(of: correction.scope) { index[key, default: []].append(position) }
        }
    }

    public var isEmpty: Bool { standing.isEmpty }

    /// A record as it is shown, and the rules that made it so, in their order. Cost: the rules that apply.
    public func view(of record: InstanceRecord) -> (record: InstanceRecord, applied: [Correction]) {
        if isEmpty { return (record, []) }
        var record = record
        var applied: [Correction] = []
        var last = -1
        while let next = next(after: last, for: record) {
            last = next
            record.apply(standing[next])
            applied.append(standing[next])
        }
        return (record, applied)
    }

    /// Whether a merge of this patient stands: then nothing is shown under it any more.
    public func isMerged(_ patient: PatientIdentity) -> Correction? {
        index[.patient(patient)]?.map { standing[$0] }.first { $0.kind == .merge }
    }

    private func next(after last: Int, for record: InstanceRecord) -> Int? {
        let patient = PatientIdentity(key: record.patientKey, issuer: record.issuer)
        let scopes: [Correction.Scope] = [
            .patient(patient), .study(record.studyInstanceUID, of: patient),
            .series([record.seriesInstanceUID], inStudy: record.studyInstanceUID, of: patient),
        ]
        return scopes.compactMap { scope in index[scope]?.first { $0 > last } }.min()
    }

    private static func keys(of scope: Correction.Scope) -> [Correction.Scope] {
        guard case .series(let series, let study, let patient) = scope else { return [scope] }
        return series.map { .series([$0], inStudy: study, of: patient) }
    }
}

extension InstanceRecord {
    fileprivate mutating func apply(_ correction: Correction) {
        for tag in correction.removing { set(Element(tag, .UN, .bytes([]))) }
        for element in correction.patch.elements { set(element) }
        patientID = correction.patch.string(.patientID) ?? patientID
        issuer = correction.patch.string(.issuerOfPatientID) ?? issuer
        studyInstanceUID = correction.patch.string(.studyInstanceUID) ?? studyInstanceUID
    }

    /// Empty ones are left out, as at ingest.
    private mutating func set(_ element: Element) {
        var isEmpty = false
        if case .bytes(let bytes) = element.value { isEmpty = bytes.isEmpty }
        let held: Element? = isEmpty ? nil : element
        if LevelAttributes.patient.contains(element.tag) { patient[element.tag] = held }
        if LevelAttributes.study.contains(element.tag) { study[element.tag] = held }
        if LevelAttributes.series.contains(element.tag) { series[element.tag] = held }
    }
}
