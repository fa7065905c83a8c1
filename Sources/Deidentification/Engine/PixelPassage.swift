import DICOM

/// Decides by the header whether pixels may pass. PS3.15 §E.1.1 and §E.3.1, PS3.3 §C.7.6.1.
///
/// | what is known | without the option | with it |
/// | Burned In Annotation, or Recognizable Visual Features, is YES | quarantined | cleaned, else quarantined |
/// | a kind of picture that often holds text, or shows a face | passed | cleaned, else quarantined |
/// | acquired pictures of other kinds | passed | passed |
///
/// A rectangle of the site's rules is blanked whatever the table says.
enum PixelPassage {
    enum Decision: Equatable {
        case pass
        case clean(PixelCleaningDemand)
    }

    /// Recognizable Visual Features: whether who is shown may be known by them. PS3.3 §C.7.6.1.
    private static let visualFeatures = Tag(0x0028_0302)

    /// Of the UIDs of storage classes. PS3.4 §B.5.
    private static let root = "1.2.840.10008.5.1.4.1.1."

    static func decide(
        _ header: Dataset, profile: Profile, cleaner: (any PixelCleaner)?
    ) throws(Quarantine) -> Decision {
        // A slide's label is a picture of the patient's name, often as a barcode that nobody here reads.
        if header.strings(.imageType).contains(where: { $0.uppercased() == "LABEL" })
            || header.string(Tag(0x0048_0010))?.uppercased() == "YES"
        {
            throw .burnedInText
        }
        let isBurnedIn = says(header, .burnedInAnnotation)
        var demand = PixelCleaningDemand()
        if profile.has(.cleanPixelData) {
            demand.text = isBurnedIn || mayHoldText(header)
        } else if isBurnedIn {
            throw .burnedInText
        }
        if profile.has(.cleanRecognizableVisualFeatures) {
            demand.features = mayShowFace(header)
        } else if says(header, visualFeatures) {
            throw .featuresNotCleaned
        }
        if demand.text || demand.features { return .clean(demand) }
        // What a site wants blanked is blanked, also where nothing is demanded.
        return cleaner?.hasRule(for: header) == true ? .clean(demand) : .pass
    }

    private static func says(_ header: Dataset, _ tag: Tag) -> Bool {
        header.strings(tag).contains { $0.uppercased() == "YES" }
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
        if says(header, visualFeatures) { return true }
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

/// What the cleaning of pixels came to, for the report.
public struct PixelCleaningCount: Hashable, Sendable {
    /// Rectangles of the site's rules that lay in a frame, and frames around whose ultrasound regions something went.
    public var rectangles = 0
    /// Bytes that these changed.
    public var rectangleByteCount = 0
    /// Words that were found and blanked.
    public var words = 0
    /// Bytes that these changed.
    public var wordByteCount = 0
    /// Frames that were coded anew.
    public var recodedFrames = 0
    /// Bytes of these as they came.
    public var recodedByteCount = 0
    /// Bytes left out of coded frames that were not coded anew.
    public var leftOutByteCount = 0

    public init() {}
}

/// Cleans pictures; given to `Deidentifier`, which has no codec of its own. Any thread.
public protocol PixelCleaner: Sendable {
    /// Whether the site has something blanked in such a picture, whatever the profile demands.
    func hasRule(for header: Dataset) -> Bool
    /// Whether frames of a transfer syntax may be given back in another one.
    func mayRecode(_ transferSyntax: TransferSyntax) -> Bool
    /// Begins the pixels of one instance.
    ///
    /// - Parameters:
    ///   - header: the source's, pixel data not in it.
    ///   - transferSyntax: of the source.
    ///   - demand: nothing where only the site's rectangles are to be blanked.
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
    /// What the frames so far came to.
    var count: PixelCleaningCount { get }
    /// Bytes of one frame as the source has it: native, little endian, or coded. Returns it in `transferSyntax`.
    func clean(frame: [UInt8], frameIndex: Int) throws(Quarantine) -> [UInt8]
}
