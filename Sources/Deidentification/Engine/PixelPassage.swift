import DICOM

/// Decides by the header whether pixels may pass. PS3.15 §E.1.1 and §E.3.1, PS3.3 §C.7.6.1.
///
/// | what is known | without Clean Pixel Data | with it |
/// | Burned In Annotation is YES | quarantined | cleaned, else quarantined |
/// | a kind of picture that often holds text | passed | cleaned, else quarantined |
/// | acquired pictures of other kinds | passed | passed |
enum PixelPassage {
    enum Decision: Equatable {
        case pass
        case clean(PixelCleaningDemand)
    }

    /// Of the UIDs of storage classes. PS3.4 §B.5.
    private static let root = "1.2.840.10008.5.1.4.1.1."

    static func decide(_ header: Dataset, profile: Profile) throws(Quarantine) -> Decision {
        // A slide's label is a picture of the patient's name, often as a barcode that nobody here reads.
        if header.strings(.imageType).contains(where: { $0.uppercased() == "LABEL" })
            || header.string(Tag(0x0048_0010))?.uppercased() == "YES"
        {
            throw .burnedInText
        }
        let isBurnedIn = header.string(.burnedInAnnotation)?.uppercased() == "YES"
        var demand = PixelCleaningDemand()
        if profile.has(.cleanPixelData) {
            demand.text = isBurnedIn || mayHoldText(header)
        } else if isBurnedIn {
            throw .burnedInText
        }
        if profile.has(.cleanRecognizableVisualFeatures) { demand.features = mayShowFace(header) }
        return demand.text || demand.features ? .clean(demand) : .pass
    }

    /// Pictures of screens, films, paper, ultrasound and cameras, and what a computer has made of others. What such a
    /// picture says of itself, Burned In Annotation NO, is often wrong.
    static func mayHoldText(_ header: Dataset) -> Bool {
        let sopClass = header.string(.sopClassUID) ?? ""
        guard sopClass.hasPrefix(root) else { return true }
        let suffix = sopClass.dropFirst(root.count)
        for family in ["7", "3", "3.1", "6", "6.1", "6.2", "6.3", "12.1", "12.2", "77.1", "77.2", "104", "5.1.1"]
        where suffix == family || suffix.hasPrefix(family + ".") {
            return !suffix.hasPrefix("77.1.6") || isDerived(header)
        }
        if ["US", "XC", "ES", "OT", "SC", "DOC", "GM", "OP", "XA", "RF", "IVUS"].contains(
            header.string(.modality) ?? "")
        {
            return true
        }
        // Projections on film or plate: what was flashed onto them is part of the picture.
        if ["CR", "DX", "MG"].contains(header.string(.modality) ?? ""),
            header.string(.burnedInAnnotation)?.uppercased() != "NO"
        {
            return true
        }
        return isDerived(header)
    }

    private static func isDerived(_ header: Dataset) -> Bool {
        let types = header.strings(.imageType).map { $0.uppercased() }
        if types.count > 1, types[1] == "SECONDARY" { return true }
        return types.contains { $0.contains("SCREEN") || $0.contains("LOCALIZER_TEXT") || $0.contains("CAPTURE") }
    }

    /// Photographs and videos of the outside of people, and whatever says so of itself.
    static func mayShowFace(_ header: Dataset) -> Bool {
        if header.string(Tag(0x0028_0302))?.uppercased() == "YES" { return true }
        let sopClass = header.string(.sopClassUID) ?? ""
        return sopClass.hasPrefix(root)
            && ["77.1.4", "77.1.4.1", "77.1", "77.2"].contains(sopClass.dropFirst(root.count))
    }
}

/// What a pixel cleaner is to do.
public struct PixelCleaningDemand: Hashable, Sendable {
    /// Burned-in text. PS3.15 §E.3.1.
    public var text = false
    /// Recognizable visual features. PS3.15 §E.3.2.
    public var features = false

    public init() {}
}

/// Cleans pictures; given to `Deidentifier`, which has no codec of its own. Any thread.
public protocol PixelCleaner: Sendable {
    /// Begins the pixels of one instance.
    ///
    /// - Parameters:
    ///   - header: the source's, pixel data not in it.
    ///   - transferSyntax: of the source.
    /// - Throws: the reason for which the instance is quarantined.
    func begin(
        header: Dataset, transferSyntax: TransferSyntax, demand: PixelCleaningDemand
    ) throws(Quarantine) -> any PixelCleaning
}

/// The cleaning of one instance's pixels. Used by one thread.
public protocol PixelCleaning: AnyObject {
    /// In which frames are given back.
    var transferSyntax: TransferSyntax { get }
    /// What must be set in the header for what is given back, such as Photometric Interpretation.
    var changes: Dataset { get }
    /// What is really done once all frames went through.
    var done: PixelCleaningDemand { get }
    /// Bytes of one frame as the source has it: native, little endian, or coded. Returns it in `transferSyntax`.
    func clean(frame: [UInt8], frameIndex: Int) throws(Quarantine) -> [UInt8]
}
