import Access
import Foundation
import HTTP

/// What forms of oversight say, shown again where something was wrong.
struct EmergencyDraft {
    var patient = ""
    var issuer = ""
    var study = ""
    var reason = ""

    init(issuer: String = "") { self.issuer = issuer }

    init(_ form: FormBody) {
        (patient, issuer, study, reason) = (form["patient"], form["issuer"], form["study"], form["reason"])
    }

    /// Nil unless it names exactly one of the two.
    var subject: Emergency.Subject? {
        let (patient, study) = (patient.trimmed, study.trimmed)
        guard patient.isEmpty != study.isEmpty else { return nil }
        return patient.isEmpty
            ? .study(study) : .patient(PatientIdentity(patientID: patient, issuer: issuer.trimmed))
    }
}

struct GrantDraft {
    var owner = ""
    var isToPerson = false
    var name = ""
    var studies = ""
    var series = ""
    var verbs: Set<Verb> = Grant.grantable
    var masking = Masking.full
    var days = "30"
    var consent = ""
    var because = ""

    init(owner: String = "") { self.owner = owner }

    init(_ form: FormBody) throws {
        (owner, name, studies, series) = (form["owner"].trimmed, form["name"].trimmed, form["studies"], form["series"])
        (days, consent, because) = (form["days"], form["consent"], form["because"])
        isToPerson = form["to"] == "person"
        verbs = Set(form.values("verb").compactMap(Verb.init(rawValue:)))
        guard let masking = Masking(name: form["masking"]) else {
            throw Problem(.badRequest, "The form names an unknown way of showing.")
        }
        self.masking = masking
    }

    /// - Throws: `.invalid` with what is wrong.
    func grant(by actor: String, now: Date) throws(AccessError) -> Grant {
        guard let days = Int64(days), Grant.dayRange.contains(Int(clamping: days)) else {
            throw .invalid("a grant lasts at most \(Grant.dayRange.upperBound) days")
        }
        let whole = studies.lines
        var named: [String: [String]] = [:]
        for line in series.lines {
            let parts = line.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else { throw .invalid("series are named STUDY/SERIES") }
            named[parts[0], default: []].append(parts[1])
        }
        // A page grants what it names; everything of an institution takes a command.
        guard !whole.isEmpty || !named.isEmpty else { throw .invalid("a grant names its studies or series") }
        let time = Int64(now.timeIntervalSince1970 * 1000)
        return Grant(
            grantee: isToPerson ? .person(name) : .institution(name), verbs: verbs, owner: owner,
            studies: whole.isEmpty ? nil : whole, series: named.isEmpty ? nil : named, masking: masking,
            until: time + days * 86_400_000, because: because, consent: consent.isEmpty ? nil : consent, madeBy: actor,
            madeAt: time)
    }
}

struct ConsentDraft {
    var kind = Consent.Kind.consent
    var purpose = ""
    var owner = ""
    var patient = ""
    var issuer = ""
    var studies = ""
    var institutions = ""
    var people = ""
    var verbs: Set<Verb> = Grant.grantable
    var days = "90"
    var evidence = ""

    init(owner: String = "", issuer: String = "") {
        self.owner = owner
        self.issuer = issuer
    }

    init(_ form: FormBody) throws {
        guard let kind = Consent.Kind(rawValue: form["kind"]) else {
            throw Problem(.badRequest, "The form names an unknown kind of record.")
        }
        self.kind = kind
        (purpose, owner, patient, issuer) = (
            form["purpose"], form["owner"].trimmed, form["patient"].trimmed, form["issuer"].trimmed
        )
        (studies, institutions, people) = (form["studies"], form["institutions"], form["people"])
        (days, evidence) = (form["days"], form["evidence"])
        verbs = Set(form.values("verb").compactMap(Verb.init(rawValue:)))
    }

    /// - Throws: `.invalid` with what is wrong.
    func consent(now: Date) throws(AccessError) -> Consent {
        guard let days = Int64(days), Consent.dayRange.contains(Int(clamping: days)) else {
            throw .invalid("a record runs for 1 to \(Consent.dayRange.upperBound) days")
        }
        let scope: Consent.Scope
        switch (patient.isEmpty, studies.lines.isEmpty) {
        case (false, true): scope = .patient(PatientIdentity(patientID: patient, issuer: issuer))
        case (true, false): scope = .studies(studies.lines)
        default: throw .invalid("a record is of a patient, or of studies by UID")
        }
        let time = Int64(now.timeIntervalSince1970 * 1000)
        return Consent(
            kind: kind, purpose: purpose, owner: owner, scope: scope, verbs: verbs,
            grantees: institutions.lines.map { .institution($0) } + people.lines.map { .person($0) }, from: time,
            until: time + days * 86_400_000, evidence: evidence)
    }
}

struct AuditDraft {
    /// Days that are searched where none are named.
    static let usualDays = 7.0

    var actor = ""
    var object = ""
    var event = ""
    var from = ""
    var to = ""

    init(_ query: QueryText) {
        (actor, object, event) = (query["actor"] ?? "", query["object"] ?? "", query["event"] ?? "")
        (from, to) = (query["from"] ?? "", query["to"] ?? "")
    }

    /// Milliseconds since 1970 of the first moment of a day; nil for what is none.
    static func day(_ text: String) -> Int64? {
        guard let date = try? Date.ISO8601FormatStyle().year().month().day().parse(text) else { return nil }
        return Int64(date.timeIntervalSince1970 * 1000)
    }
}

extension String {
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }

    /// Lines that say something.
    fileprivate var lines: [String] {
        split(whereSeparator: \.isNewline).map { String($0).trimmed }.filter { !$0.isEmpty }
    }
}
