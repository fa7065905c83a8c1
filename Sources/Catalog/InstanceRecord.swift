import DICOM

/// What the catalogue knows of one instance, as it is sealed beside its bytes in the pack: from this record alone
/// the catalogue can be rebuilt.
public struct InstanceRecord: Sendable {
    public var sequence: UInt64
    public var sopInstanceUID: String
    public var sopClassUID: String
    public var studyInstanceUID: String
    public var seriesInstanceUID: String
    /// (0010,0020), possibly empty.
    public var patientID: String
    /// (0010,0021), else the issuer configured for the sending peer.
    public var issuer: String
    public var transferSyntaxUID: String
    /// Bytes of the dataset as it was sent.
    public var byteCount: UInt64
    /// SHA-256 of those bytes.
    public var digest: [UInt8]
    public var sender: Sender
    /// Milliseconds since 1970, UTC.
    public var receivedAt: Int64
    public var policy: DifferingContentPolicy
    public var patient: Dataset
    public var study: Dataset
    public var series: Dataset
    public var instance: Dataset
    /// What the operator has kept of its private attributes.
    public var privates: PrivateAttributes
    /// `PixelDataLayout.encoded()`, or empty when the instance has no pixel data.
    public var pixelDataLayout: [UInt8]
    /// Whether the content beside this record is the dataset compressed, and not as it was sent.
    public var isCompressed = false
    /// The transfer that brings it, which is shown all at once; empty for what is shown as soon as it is stored.
    public var transfer: [UInt8] = []

    /// Patients without an identifier are never merged: each study makes one of its own.
    public var patientKey: String { patientID.isEmpty ? "\u{1}" + studyInstanceUID : patientID }

    public init(
        sequence: UInt64 = 0, header: Dataset, sopInstanceUID: String, sopClassUID: String,
        defaultIssuer: String, transferSyntaxUID: String, byteCount: UInt64, digest: [UInt8], sender: Sender,
        receivedAt: Int64, policy: DifferingContentPolicy, pixelDataLayout: [UInt8],
        keeping privatePolicy: PrivatePolicy = .none, placeholderUID: (String) -> String
    ) {
        self.sequence = sequence
        self.sopInstanceUID = sopInstanceUID
        self.sopClassUID = sopClassUID
        patientID = header.string(.patientID) ?? ""
        let named = header.string(.issuerOfPatientID) ?? ""
        issuer = named.isEmpty ? defaultIssuer : named
        // An instance without a study or series (a type 1 violation met in the field) gets one of its own.
        let study = header.string(.studyInstanceUID) ?? ""
        studyInstanceUID = study.isEmpty ? placeholderUID("study of " + sopInstanceUID) : study
        let series = header.string(.seriesInstanceUID) ?? ""
        seriesInstanceUID = series.isEmpty ? placeholderUID("series of " + sopInstanceUID) : series
        self.transferSyntaxUID = transferSyntaxUID
        self.byteCount = byteCount
        self.digest = digest
        self.sender = sender
        self.receivedAt = receivedAt
        self.policy = policy
        self.pixelDataLayout = pixelDataLayout
        var levels = LevelAttributes.split(header)
        levels.patient.set(.issuerOfPatientID, .LO, strings: [issuer])
        levels.study.set(.studyInstanceUID, .UI, strings: [studyInstanceUID])
        levels.series.set(.seriesInstanceUID, .UI, strings: [seriesInstanceUID])
        levels.instance.set(.sopInstanceUID, .UI, strings: [sopInstanceUID])
        levels.instance.set(.sopClassUID, .UI, strings: [sopClassUID])
        self.patient = levels.patient
        self.study = levels.study
        self.series = levels.series
        self.instance = levels.instance
        privates = privatePolicy.attributes(of: header)
    }
}
