/// How a dataset is encoded. PS3.5 §10 and Annex A.
public struct TransferSyntax: Hashable, Sendable {
    public let uid: String
    public let name: String
    public let isExplicitVR: Bool
    public let isBigEndian: Bool
    /// Whether the whole dataset is deflated. PS3.5 §A.5.
    public let isDeflated: Bool
    /// Whether pixel data lie in fragments. PS3.5 §A.4.
    public let isEncapsulated: Bool
    /// Whether compression in this syntax may lose information.
    public let isLossy: Bool
    /// Whether objects lie in files and archives in this syntax: not referenced, streamed or mail and XML ones.
    public let isStorable: Bool

    private init(
        _ uid: String, _ name: String, isExplicitVR: Bool = true, isBigEndian: Bool = false, isDeflated: Bool = false,
        isEncapsulated: Bool = false, isLossy: Bool = false, isStorable: Bool = true
    ) {
        self.uid = uid
        self.name = name
        self.isExplicitVR = isExplicitVR
        self.isBigEndian = isBigEndian
        self.isDeflated = isDeflated
        self.isEncapsulated = isEncapsulated
        self.isLossy = isLossy
        self.isStorable = isStorable
    }

    /// The syntax with a UID. One that is not in the standard counts as explicit little endian with fragments, as
    /// every syntax added since 1996.
    public init(uid: String) {
        self = Self.byUID[uid] ?? Self(uid, "Unknown", isEncapsulated: true)
    }

    /// Whether `uid` is in the standard.
    public static func isKnown(uid: String) -> Bool { byUID[uid] != nil }

    public static func == (left: TransferSyntax, right: TransferSyntax) -> Bool { left.uid == right.uid }
    public func hash(into hasher: inout Hasher) { hasher.combine(uid) }

    private static let byUID = Swift.Dictionary(uniqueKeysWithValues: all.map { ($0.uid, $0) })

    private static func encapsulated(_ suffix: String, _ name: String, isLossy: Bool = false) -> Self {
        Self("1.2.840.10008.1.2." + suffix, name, isEncapsulated: true, isLossy: isLossy)
    }

    private static func referenced(_ suffix: String, _ name: String, isDeflated: Bool = false) -> Self {
        Self("1.2.840.10008.1.2." + suffix, name, isDeflated: isDeflated, isStorable: false)
    }

    public static let implicitVRLittleEndian = Self(
        "1.2.840.10008.1.2", "Implicit VR Little Endian", isExplicitVR: false)
    public static let explicitVRLittleEndian = Self("1.2.840.10008.1.2.1", "Explicit VR Little Endian")
    public static let encapsulatedUncompressedExplicitVRLittleEndian = encapsulated(
        "1.98", "Encapsulated Uncompressed Explicit VR Little Endian")
    public static let deflatedExplicitVRLittleEndian = Self(
        "1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", isDeflated: true)
    public static let explicitVRBigEndian = Self(
        "1.2.840.10008.1.2.2", "Explicit VR Big Endian (Retired)", isBigEndian: true)
    /// Papyrus 3, retired.
    public static let papyrus3ImplicitVRLittleEndian = Self(
        "1.2.840.10008.1.20", "Papyrus 3 Implicit VR Little Endian (Retired)", isExplicitVR: false)
    public static let rleLossless = encapsulated("5", "RLE Lossless")
    public static let deflatedImageFrameCompression = encapsulated("8.1", "Deflated Image Frame Compression")
    public static let jpegBaseline = encapsulated("4.50", "JPEG Baseline (Process 1)", isLossy: true)
    public static let jpegExtended = encapsulated("4.51", "JPEG Extended (Process 2 and 4)", isLossy: true)
    public static let jpegLossless = encapsulated("4.57", "JPEG Lossless, Non-Hierarchical (Process 14)")
    public static let jpegLosslessSV1 = encapsulated(
        "4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction (Process 14, Selection Value 1)")
    public static let jpegLSLossless = encapsulated("4.80", "JPEG-LS Lossless Image Compression")
    public static let jpegLSNearLossless = encapsulated(
        "4.81", "JPEG-LS Lossy (Near-Lossless) Image Compression", isLossy: true)
    public static let jpeg2000Lossless = encapsulated("4.90", "JPEG 2000 Image Compression (Lossless Only)")
    public static let jpeg2000 = encapsulated("4.91", "JPEG 2000 Image Compression", isLossy: true)
    public static let jpegXLLossless = encapsulated("4.110", "JPEG XL Lossless")
    public static let jpegXLJPEGRecompression = encapsulated("4.111", "JPEG XL JPEG Recompression", isLossy: true)
    public static let jpegXL = encapsulated("4.112", "JPEG XL", isLossy: true)
    public static let htj2kLossless = encapsulated(
        "4.201", "High-Throughput JPEG 2000 Image Compression (Lossless Only)")
    public static let htj2kLosslessRPCL = encapsulated(
        "4.202", "High-Throughput JPEG 2000 with RPCL Options Image Compression (Lossless Only)")
    public static let htj2k = encapsulated("4.203", "High-Throughput JPEG 2000 Image Compression", isLossy: true)

    /// Every syntax of PS3.6 §A, retired ones too.
    public static let all: [TransferSyntax] =
        [
            implicitVRLittleEndian, explicitVRLittleEndian, encapsulatedUncompressedExplicitVRLittleEndian,
            deflatedExplicitVRLittleEndian, explicitVRBigEndian, papyrus3ImplicitVRLittleEndian, rleLossless,
            deflatedImageFrameCompression, jpegBaseline, jpegExtended, jpegLossless, jpegLosslessSV1, jpegLSLossless,
            jpegLSNearLossless, jpeg2000Lossless, jpeg2000, jpegXLLossless, jpegXLJPEGRecompression, jpegXL,
            htj2kLossless, htj2kLosslessRPCL, htj2k,
        ] + retiredJPEG + multiComponent + video + notStorable

    private static let retiredJPEG = [
        encapsulated("4.52", "JPEG Extended (Process 3 and 5) (Retired)", isLossy: true),
        encapsulated("4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 and 8) (Retired)", isLossy: true),
        encapsulated("4.54", "JPEG Spectral Selection, Non-Hierarchical (Process 7 and 9) (Retired)", isLossy: true),
        encapsulated("4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 and 12) (Retired)", isLossy: true),
        encapsulated("4.56", "JPEG Full Progression, Non-Hierarchical (Process 11 and 13) (Retired)", isLossy: true),
        encapsulated("4.58", "JPEG Lossless, Non-Hierarchical (Process 15) (Retired)"),
        encapsulated("4.59", "JPEG Extended, Hierarchical (Process 16 and 18) (Retired)", isLossy: true),
        encapsulated("4.60", "JPEG Extended, Hierarchical (Process 17 and 19) (Retired)", isLossy: true),
        encapsulated("4.61", "JPEG Spectral Selection, Hierarchical (Process 20 and 22) (Retired)", isLossy: true),
        encapsulated("4.62", "JPEG Spectral Selection, Hierarchical (Process 21 and 23) (Retired)", isLossy: true),
        encapsulated("4.63", "JPEG Full Progression, Hierarchical (Process 24 and 26) (Retired)", isLossy: true),
        encapsulated("4.64", "JPEG Full Progression, Hierarchical (Process 25 and 27) (Retired)", isLossy: true),
        encapsulated("4.65", "JPEG Lossless, Hierarchical (Process 28) (Retired)"),
        encapsulated("4.66", "JPEG Lossless, Hierarchical (Process 29) (Retired)"),
    ]

    private static let multiComponent = [
        encapsulated("4.92", "JPEG 2000 Part 2 Multi-component Image Compression (Lossless Only)"),
        encapsulated("4.93", "JPEG 2000 Part 2 Multi-component Image Compression", isLossy: true),
    ]

    private static let video =
        [
            ("100", "MPEG2 Main Profile / Main Level"), ("101", "MPEG2 Main Profile / High Level"),
            ("102", "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
            ("103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1"),
            ("104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 2D Video"),
            ("105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 For 3D Video"),
            ("106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2"),
        ].flatMap { number, name in
            [
                encapsulated("4.\(number)", name, isLossy: true),
                encapsulated("4.\(number).1", "Fragmentable " + name, isLossy: true),
            ]
        } + [
            encapsulated("4.107", "HEVC/H.265 Main Profile / Level 5.1", isLossy: true),
            encapsulated("4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", isLossy: true),
        ]

    private static let notStorable = [
        referenced("4.94", "JPIP Referenced"),
        referenced("4.95", "JPIP Referenced Deflate", isDeflated: true),
        referenced("4.204", "JPIP HTJ2K Referenced"),
        referenced("4.205", "JPIP HTJ2K Referenced Deflate", isDeflated: true),
        referenced("6.1", "RFC 2557 MIME encapsulation (Retired)"),
        referenced("6.2", "XML Encoding (Retired)"),
        referenced("7.1", "SMPTE ST 2110-20 Uncompressed Progressive Active Video"),
        referenced("7.2", "SMPTE ST 2110-20 Uncompressed Interlaced Active Video"),
        referenced("7.3", "SMPTE ST 2110-30 PCM Digital Audio"),
    ]

    /// Whether the pixel data is one video rather than separate frames. PS3.5 §8.2.5 to §8.2.11.
    public var isVideo: Bool {
        let root = "1.2.840.10008.1.2.4.10"
        return uid.hasPrefix(root) && uid.utf8.count > root.utf8.count
    }
}
