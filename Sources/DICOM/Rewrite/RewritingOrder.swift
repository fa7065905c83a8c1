extension Transcoding {
    /// Whether objects of one transfer syntax can go out in another without loss; the pixels of a single object may
    /// still not allow it.
    public static func isPossible(from: TransferSyntax, to: TransferSyntax) -> Bool {
        guard FrameCoding(decoding: from) != nil, let target = FrameCoding(encoding: to) else { return from == to }
        return !target.isLossy || from == to
    }
}

extension TransferSyntax {
    /// Uncompressed first, because every object can be had in it; then what is written fastest.
    private static let rewritingOrder: [TransferSyntax] = [
        .explicitVRLittleEndian, .implicitVRLittleEndian, .jpegLSLossless, .htj2kLossless, .htj2k, .rleLossless,
        .jpegLosslessSV1, .jpegLossless, .jpeg2000Lossless, .jpeg2000, .explicitVRBigEndian,
    ]

    /// Those of the transfer syntaxes that objects are rewritten in without loss, the best first.
    public static func inOrderOfRewriting(_ uids: [String]) -> [String] {
        rewritingOrder.map(\.uid).filter(uids.contains)
    }
}
