/// Which instance an object is, as its dataset says; study and series that it does not name are those it is kept under, and once it is stored a
/// corrected study is the one it is found in.
public struct InstanceIdentity: Sendable, Hashable {
    public var studyInstanceUID: String
    public var seriesInstanceUID: String
    public var sopInstanceUID: String
    public var sopClassUID: String
    public var patientID: String
}
