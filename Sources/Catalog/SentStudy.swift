/// A study as one institution sends it: what another sends under its identifier lies apart.
public struct SentStudy: Hashable, Sendable {
    public var studyInstanceUID: String
    public var institution: String

    public init(studyInstanceUID: String, institution: String) {
        self.studyInstanceUID = studyInstanceUID
        self.institution = institution
    }
}
