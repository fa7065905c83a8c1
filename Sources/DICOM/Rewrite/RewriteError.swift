/// Why a dataset was not written in another form. Offsets count from the first byte of the source, after inflating.
public enum RewriteError: Error {
    /// The source breaks a limit of the scan.
    case unreadable(ParseError)
    /// The source ends inside an element, or before the sequences around it do.
    case truncated(byteOffset: UInt64)
    /// Nothing is written in this transfer syntax: it deflates the dataset.
    case targetNotWritable
    /// The source's pixel data, or the new one, cannot be in the target: one is in fragments and the other is not.
    case pixelDataDoesNotFit(byteOffset: UInt64)
    /// A value stands under the tag of a sequence, which only a written VR can say, and the target writes none.
    case valueOfSequence(byteOffset: UInt64)
    /// A text is too long in UTF-8, or is not what it was when it was measured.
    case textDoesNotFit(byteOffset: UInt64)
    /// There are new frames, but the source has no pixel data.
    case noPixelData
    /// The frames together, or one compressed frame, are not what was announced, or too long for a length field.
    case wrongPixelData(frameIndex: Int)
    /// What gives the frames failed.
    case frames(any Error)
    /// What takes the output failed.
    case output(any Error)
}

extension RewriteError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let error): error.description
        case .truncated(let offset): "the object ends too early at byte \(offset); have it sent again"
        case .targetNotWritable: "nothing is written deflated; ask for explicit VR little endian"
        case .pixelDataDoesNotFit(let offset):
            "the pixel data at byte \(offset) cannot be so in the target syntax; decode or encode its frames"
        case .valueOfSequence(let offset):
            "the value at byte \(offset) stands under a sequence's tag; ask for explicit VR, or repair the object"
        case .textDoesNotFit(let offset):
            "the text at byte \(offset) is too long for its length field in UTF-8; have the object sent with less"
        case .noPixelData: "the object has no pixel data to put frames in place of; send it without"
        case .wrongPixelData(let index):
            "frame index \(index) has not the bytes that were announced; the codec is at fault"
        case .frames(let error): "the frames could not be made: \(error)"
        case .output(let error): "the written object could not be given on: \(error)"
        }
    }
}
