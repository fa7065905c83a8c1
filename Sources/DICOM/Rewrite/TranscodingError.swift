/// Why an object is not written in another transfer syntax.
public enum TranscodingError: Error, Hashable, Sendable {
    /// Nobody here decodes the source's syntax: video, JPEG XL, retired or unknown ones.
    case sourceNotDecodable
    /// Nobody here writes the target's syntax.
    case targetNotEncodable
    /// Pixel data is compressed although its syntax is not, or the attributes tell of other pixels than are there.
    case contradictoryPixelData
    /// Not every declared frame can be found.
    case framesMissing(declared: Int, found: Int)
    /// A frame is larger than the limit in bytes.
    case frameTooLarge(limit: UInt64)
    /// All native frames together are longer than a length field holds.
    case tooLongForNative
    /// An attribute that describes the pixels is missing or out of range.
    case badAttribute(Tag)
    /// The target, or the decoder, does not know the Photometric Interpretation or the number of samples.
    case colorNotSupported
    /// The target, or the decoder, does not have as many bits.
    case bitDepthNotSupported
    /// The target is lossy and would mistake small negative numbers for large ones.
    case signedNotSupported
    /// Floating-point pixels are never compressed. PS3.5 §8.2.
    case floatingPoint
    /// Indices into a palette must not change by loss.
    case lossyPalette
    /// Bits beside the pixel's own hold an overlay, which the target cannot keep. PS3.3 §C.9.2, retired.
    case embeddedOverlay
    /// Frames of the source share bytes, and the target keeps frames apart.
    case framesNotByteAligned
    /// A sequence holds compressed pixel data of its own.
    case nestedPixelData(Tag)
    /// A sequence by its tag has a value that is none, which implicit VR cannot say.
    case valueOfSequence(Tag)
}

extension TranscodingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .sourceNotDecodable: "the stored transfer syntax is not decoded here; let the destination accept it"
        case .targetNotEncodable: "the transfer syntax is not written here; ask for explicit VR little endian"
        case .contradictoryPixelData: "pixel data and what describes it contradict one another; repair the object"
        case .framesMissing(let declared, let found):
            "\(found) of \(declared) declared frames can be found; have the object sent again"
        case .frameTooLarge(let limit): "a frame takes more than \(limit) bytes; raise the limit if this is no mistake"
        case .tooLongForNative: "uncompressed, the frames are longer than 4 GiB; ask for a compressed transfer syntax"
        case .badAttribute(let tag): "\(tag) is missing or out of range; repair the object"
        case .colorNotSupported: "the target does not have this photometric interpretation; ask for another"
        case .bitDepthNotSupported: "the target does not have this many bits; ask for another"
        case .signedNotSupported: "signed pixels cannot be compressed with loss; ask for a lossless transfer syntax"
        case .floatingPoint: "floating-point pixels cannot be compressed; ask for an uncompressed transfer syntax"
        case .lossyPalette: "palette images cannot be compressed with loss; ask for a lossless transfer syntax"
        case .embeddedOverlay: "unused bits hold an overlay; ask for an uncompressed transfer syntax or RLE"
        case .framesNotByteAligned: "frames begin inside a byte; ask for an uncompressed transfer syntax"
        case .nestedPixelData(let tag):
            "\(tag) holds compressed pixel data; let the destination accept the stored syntax"
        case .valueOfSequence(let tag):
            "\(tag) is a sequence and holds something else; ask for explicit VR, or repair the object"
        }
    }
}
