import DICOM

extension InstanceRecord {
    private static let version: UInt8 = 1
    /// The same form beside content that is compressed at rest.
    private static let compressedVersion: UInt8 = 2
    /// Both with the transfer at the end.
    private static let transferVersion: UInt8 = 3
    private static let compressedTransferVersion: UInt8 = 4

    /// Whether an encoded record stands beside compressed content.
    public static func isCompressed(encoded bytes: [UInt8]) -> Bool {
        bytes.first == compressedVersion || bytes.first == compressedTransferVersion
    }

    /// The form that is sealed in the pack.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        switch (isCompressed, transfer.isEmpty) {
        case (false, true): writer.integer(Self.version)
        case (true, true): writer.integer(Self.compressedVersion)
        case (false, false): writer.integer(Self.transferVersion)
        case (true, false): writer.integer(Self.compressedTransferVersion)
        }
        writer.integer(sequence)
        for text in [
            sopInstanceUID, sopClassUID, studyInstanceUID, seriesInstanceUID, patientID, issuer, transferSyntaxUID,
            policy.rawValue,
        ] { writer.text(text) }
        writer.integer(byteCount)
        writer.blob(digest)
        writer.sender(sender)
        writer.integer(receivedAt)
        for level in [patient, study, series, instance] { writer.dataset(level) }
        writer.blob(pixelDataLayout)
        if !transfer.isEmpty { writer.blob(transfer) }
        return writer.bytes
    }

    /// Reads `encoded()`.
    ///
    /// - Throws: `.damagedRecord`.
    public init(encoded bytes: [UInt8]) throws(CatalogError) {
        var reader = ByteReader(bytes)
        let version = try reader.integer(UInt8.self)
        guard (Self.version...Self.compressedTransferVersion).contains(version) else { throw .damagedRecord }
        isCompressed = Self.isCompressed(encoded: bytes)
        sequence = try reader.integer()
        sopInstanceUID = try reader.text()
        sopClassUID = try reader.text()
        studyInstanceUID = try reader.text()
        seriesInstanceUID = try reader.text()
        patientID = try reader.text()
        issuer = try reader.text()
        transferSyntaxUID = try reader.text()
        guard let policy = DifferingContentPolicy(rawValue: try reader.text()) else { throw .damagedRecord }
        self.policy = policy
        byteCount = try reader.integer()
        digest = try reader.blob()
        sender = try reader.sender()
        receivedAt = try reader.integer()
        patient = try reader.dataset()
        study = try reader.dataset()
        series = try reader.dataset()
        instance = try reader.dataset()
        pixelDataLayout = try reader.blob()
        if version >= Self.transferVersion { transfer = try reader.blob() }
    }
}
