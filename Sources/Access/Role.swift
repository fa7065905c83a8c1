/// What somebody is here for. What each may do stands in `Policy`.
public enum Role: String, Sendable, CaseIterable, Codable {
    /// Supervises: counts, times and quality, and no patient.
    case regulator
    /// Looks after the accounts and grants of one institution.
    case institutionAdministrator = "institution-administrator"
    /// Is asked for an opinion; sees what was granted.
    case expert
    case clinician
    /// Acquires and sends images.
    case technician
    /// Runs the service; sees no patient.
    case `operator`
    /// Reads the record of acts.
    case auditor
    /// Sees nothing here yet: no account is known to be whose images.
    case patient
    /// A program of an institution.
    case system
}
