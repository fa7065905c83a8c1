extension Transcoding {
    /// Whether objects of one transfer syntax can go out in another; the pixels of a single object may still not allow
    /// it.
    public static func isPossible(from: TransferSyntax, to: TransferSyntax) -> Bool {
        from == to || (FrameCoding(decoding: from) != nil && FrameCoding(encoding: to) != nil)
    }
}

extension TransferSyntax {
    /// Uncompressed first, because every object can be had in it; then what is written fastest; with loss only where
    /// nothing else is taken.
    private static let rewritingOrder: [TransferSyntax] = [
        .explicitVRLittleEndian, .implicitVRLittleEndian, .jpegLSLossless, .htj2kLossless, .htj2k, .rleLossless,
        .jpegLosslessSV1, .jpegLossless, .jpeg2000Lossless, .jpeg2000, .explicitVRBigEndian,
    ]
    private static let lossyOrder: [TransferSyntax] = [.jpegBaseline, .jpegExtended]

    /// Those of the transfer syntaxes that objects are rewritten in, the best first; those that lose something only if
    /// there are no others.
    public static func inOrderOfRewriting(_ uids: [String]) -> [String] {
        let lossless = rewritingOrder.map(\.uid).filter(uids.contains)
        return lossless.isEmpty ? lossyOrder.map(\.uid).filter(uids.contains) : lossless
    }

    /// Every syntax that objects are written anew in.
    public static let rewritable = rewritingOrder + lossyOrder

    /// Whether what is written anew in it loses something.
    public var losesWhenRewritten: Bool { Self.lossyOrder.contains(self) }
}
