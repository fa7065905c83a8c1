/// How the bytes of a frame are coded. PS3.5 §8.2 and §A.4.
public enum FrameCoding: Hashable, Sendable {
    /// Not at all, in fragments or not.
    case native
    case rle
    case deflated
    /// 8 bits, always with loss.
    case jpegBaseline
    /// 8 or 12 bits, always with loss; progressive when decoded.
    case jpegExtended
    case jpegLossless
    case jpegLSLossless
    case jpegLSNearLossless
    /// Written without loss, whatever the syntax allows.
    case jpeg2000
    /// Written without loss, whatever the syntax allows.
    case htj2k

    /// The coding of a syntax's frames that is decoded here.
    public init?(decoding syntax: TransferSyntax) {
        switch syntax {
        case .encapsulatedUncompressedExplicitVRLittleEndian: self = .native
        case .rleLossless: self = .rle
        case .deflatedImageFrameCompression: self = .deflated
        case .jpegBaseline: self = .jpegBaseline
        case .jpegExtended: self = .jpegExtended
        case .jpegLossless, .jpegLosslessSV1: self = .jpegLossless
        case .jpegLSLossless: self = .jpegLSLossless
        case .jpegLSNearLossless: self = .jpegLSNearLossless
        case .jpeg2000Lossless, .jpeg2000: self = .jpeg2000
        case .htj2kLossless, .htj2kLosslessRPCL, .htj2k: self = .htj2k
        default:
            // Progressive processes 6, 8, 10 and 12, retired: decoded as the rest of JPEG's DCT. PS3.5 §A.4.1.
            if Self.progressive.contains(syntax.uid) {
                self = .jpegExtended
                return
            }
            if syntax.isEncapsulated || !syntax.isStorable { return nil }
            self = .native
        }
    }

    /// The coding of a syntax's frames that is written here.
    public init?(encoding syntax: TransferSyntax) {
        // The encoder in use does not write the markers that RPCL asks for; nothing is written deflated or retired.
        if syntax == .htj2kLosslessRPCL || syntax.isDeflated || syntax == .papyrus3ImplicitVRLittleEndian { return nil }
        if Self.progressive.contains(syntax.uid) { return nil }
        self.init(decoding: syntax)
    }

    private static let progressive: Set<String> = ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"]

    /// Whether frames that are written so lose information.
    public var isLossy: Bool { self == .jpegBaseline || self == .jpegExtended || self == .jpegLSNearLossless }

    /// Whether every bit that is allocated comes through, and not just those that are stored.
    var keepsAllBits: Bool { self == .native || self == .rle || self == .deflated }

    /// The term of Lossy Image Compression Method (0028,2114). PS3.3 §C.7.6.1.1.5.1.
    var lossyMethod: String? {
        switch self {
        case .jpegBaseline, .jpegExtended: "ISO_10918_1"
        case .jpegLSNearLossless: "ISO_14495_1"
        default: nil
        }
    }
}
