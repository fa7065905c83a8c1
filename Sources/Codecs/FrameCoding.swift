import CCodecs
import DICOM

/// What the frames of a transfer syntax are coded by. PS3.5 §A.4.
enum FrameCoding: Hashable, Sendable {
    case native
    case rle
    case deflate
    case jpeg
    case jpegLossless
    case jpegLS
    case jpeg2000
    case htj2k

    /// nil for video and for everything else whose frames nobody here decodes.
    init?(_ syntax: TransferSyntax) {
        switch syntax {
        case .implicitVRLittleEndian, .explicitVRLittleEndian, .deflatedExplicitVRLittleEndian,
            .encapsulatedUncompressedExplicitVRLittleEndian:
            self = .native
        case .rleLossless: self = .rle
        case .deflatedImageFrameCompression: self = .deflate
        case .jpegBaseline, .jpegExtended: self = .jpeg
        case .jpegLossless, .jpegLosslessSV1: self = .jpegLossless
        case .jpegLSLossless, .jpegLSNearLossless: self = .jpegLS
        case .jpeg2000Lossless, .jpeg2000: self = .jpeg2000
        case .htj2kLossless, .htj2kLosslessRPCL, .htj2k: self = .htj2k
        default:
            // Retired processes with Huffman coding: spectral selection and full progression.
            guard ["1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55"].contains(syntax.uid) else { return nil }
            self = .jpeg
        }
    }

    /// Whether streams of this syntax are made here, for such frames.
    static func canEncode(_ syntax: TransferSyntax) -> Bool {
        switch syntax {
        case .rleLossless, .deflatedImageFrameCompression, .jpegBaseline, .jpegExtended, .jpegLossless,
            .jpegLosslessSV1, .jpegLSLossless, .jpegLSNearLossless, .jpeg2000Lossless, .jpeg2000, .htj2kLossless,
            .htj2k:
            true
        // OpenJPH 0.9 writes no TLM marker, which the RPCL syntax asks for.
        default: FrameCoding(syntax) == .native
        }
    }

    var codec: HZCodec {
        switch self {
        case .native: HZCodec.native
        case .rle: HZCodec.RLE
        case .deflate: HZCodec.deflate
        case .jpeg: HZCodec.JPEG
        case .jpegLossless: HZCodec.jpegLossless
        case .jpegLS: HZCodec.JPEGLS
        case .jpeg2000: HZCodec.JPEG2000
        case .htj2k: HZCodec.HTJ2K
        }
    }

    var name: String {
        switch self {
        case .native: "native pixel data"
        case .rle: "RLE"
        case .deflate: "deflated frame"
        case .jpeg: "JPEG"
        case .jpegLossless: "JPEG lossless"
        case .jpegLS: "JPEG-LS"
        case .jpeg2000: "JPEG 2000"
        case .htj2k: "HTJ2K"
        }
    }
}
