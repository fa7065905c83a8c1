import DICOM

extension InstanceRecord {
    /// The first byte: 1 and what of this applies.
    private struct Form: OptionSet {
        let rawValue: UInt8

        /// It stands beside content that is compressed at rest.
        static let compressed = Form(rawValue: 1)
        /// The transfer follows.
        static let transfer = Form(rawValue: 2)
        /// Private attributes follow, and by which policy they were taken.
        static let privates = Form(rawValue: 4)

        init(rawValue: UInt8) { self.rawValue = rawValue }

        init?(version: UInt8) {
            guard (1...8).contains(version) else { return nil }
            rawValue = version - 1
        }

        var version: UInt8 { rawValue + 1 }
    }

    private var form: Form {
        var form: Form = []
        if isCompressed { form.insert(.compressed) }
        if !transfer.isEmpty { form.insert(.transfer) }
        if privates.mark != 0 { form.insert(.privates) }
        return form
    }

    /// Whether an encoded record stands beside compressed content.
    public static func isCompressed(encoded bytes: [UInt8]) -> Bool {
        bytes.first.flatMap { Form(version: $0) }?.contains(.compressed) ?? false
    }

    /// The form that is sealed in the pack.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(form.version)
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
        if privates.mark != 0 {
            writer.integer(privates.mark)
            for level in [privates.study, privates.series, privates.instance] { writer.dataset(level) }
        }
        return writer.bytes
    }

    /// Reads `encoded()`.
    ///
    /// - Throws: `.damagedRecord`.
    public init(encoded bytes: [UInt8]) throws(CatalogError) {
        var reader = ByteReader(bytes)
        guard let form = Form(version: try reader.integer()) else { throw .damagedRecord }
        isCompressed = form.contains(.compressed)
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
        if form.contains(.transfer) { transfer = try reader.blob() }
        privates = PrivateAttributes()
        if form.contains(.privates) {
            privates.mark = try reader.integer()
            privates.study = try reader.dataset()
            privates.series = try reader.dataset()
            privates.instance = try reader.dataset()
        }
    }
}
