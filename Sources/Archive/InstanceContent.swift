import DICOM

/// An instance's dataset with what finds frames and values in it: of a stored object, or of one that was made of it for
/// somebody. Safe from any thread.
public struct InstanceContent: Sendable {
    public let source: any ContentSource
    public let transferSyntax: TransferSyntax
    let layout: PixelDataLayout?

    /// A stored object, as it was sent.
    public init(_ object: StoredObject) throws(ArchiveError) {
        source = object
        transferSyntax = TransferSyntax(uid: object.holding.transferSyntaxUID)
        layout = PixelDataLayout(encoded: try object.record().pixelDataLayout)
    }

    private init(_ source: any ContentSource, _ transferSyntax: TransferSyntax, _ layout: PixelDataLayout?) {
        self.source = source
        self.transferSyntax = transferSyntax
        self.layout = layout
    }

    /// Reads all of a dataset that is nowhere stored, once.
    ///
    /// - Returns: its content, and its header in the DICOM JSON model, PS3.18 Annex F.
    /// - Throws: `.bound`; what the source throws.
    public static func reading(
        _ source: some ContentSource, transferSyntax: TransferSyntax
    ) throws(ArchiveError) -> (content: InstanceContent, metadata: MetadataText) {
        let scanned = try Archive.scan(source, transferSyntax: transferSyntax, upTo: source.byteCount)
        var text: [UInt8] = []
        scanned.header.json(into: &text)
        return (InstanceContent(source, transferSyntax, scanned.pixelData), MetadataText(text))
    }

    /// Its header up to its pixel data, values that are long by their place only.
    public func header() throws(ArchiveError) -> Dataset {
        try Archive.header(of: source, transferSyntax: transferSyntax, layout: layout)
    }

    /// Where the native value of Pixel Data (7FE0,0010) lies; nil without one.
    public var nativePixelData: Range<UInt64>? {
        guard let layout, !layout.isEncapsulated, let count = layout.valueByteCount else { return nil }
        return layout.valueOffset..<(layout.valueOffset + count)
    }
}
