/// Why a correction was not made.
public enum CorrectionError: Error, Equatable, CustomStringConvertible {
    case reason(limit: Int)
    case samePatient
    case sameStudy
    /// By the correction with this number.
    case mergedAway(UInt64)
    case ambiguousPatient
    case hasPatientID
    /// A study has its patient already.
    case patientOfStudy
    case otherInstitution
    case notStanding
    case tooManyStanding(limit: Int)
    case tooManySeries(limit: Int)
    case tooMuch(limit: Int)
    case tooLarge(limit: Int)
    /// The keyword, and where it may be set.
    case notCorrectable(String)
    case badValue(keyword: String)
    case nothingToSet

    public var description: String {
        switch self {
        case .reason(let limit): "give a reason of 1 to \(limit) bytes in one line"
        case .samePatient: "both names are the same patient: name the one to give up and the one to keep"
        case .sameStudy: "the series are in that study already"
        case .mergedAway(let number):
            "correction \(number) has merged that patient into another: name that one, or undo the correction first"
        case .ambiguousPatient: "several issuers have a patient with that ID: name one as ID@ISSUER"
        case .hasPatientID: "the study's patient has an ID: name it with --from"
        case .patientOfStudy: "the study that takes the series has its patient already: leave --patient out"
        case .otherInstitution: "the two studies were sent by different institutions: split into a new study"
        case .notStanding: "no correction with that number stands: see `huizhen correct list`"
        case .tooManyStanding(let limit): "\(limit) corrections stand, which is the most: undo what is no longer needed"
        case .tooManySeries(let limit): "a split names \(limit) series at most: do it in parts"
        case .tooMuch(let limit): "that reaches more than \(limit) instances: correct smaller parts"
        case .tooLarge(let limit): "the values have more than \(limit) bytes together: set fewer or shorter ones"
        case .notCorrectable(let keyword):
            "\(keyword) cannot be set at that level: see `huizhen correct set --help` for what can"
        case .badValue(let keyword): "the value is not one that \(keyword) can have"
        case .nothingToSet: "name what to set as KEYWORD=VALUE"
        }
    }
}
