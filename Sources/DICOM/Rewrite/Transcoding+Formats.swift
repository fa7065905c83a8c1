/// Which pixels a coding can hold, and what they are before and after. PS3.5 §8.2.1 to §8.2.16, Annex G.
extension Transcoding {
    /// The format a frame has once it is decoded: by pixel, and in a color that exists outside of streams.
    static func decoded(_ source: PixelFormat, _ coding: FrameCoding) throws(TranscodingError) -> PixelFormat {
        if coding == .native || coding == .deflated { return source }
        if coding != .rle {
            guard source.bitsAllocated == 8 || source.bitsAllocated == 16 else { throw .bitDepthNotSupported }
        } else if source.bitsAllocated == 1 {
            throw .bitDepthNotSupported
        }
        if source.samplesPerPixel == 1 { return source }
        guard source.samplesPerPixel == 3 else { throw .colorNotSupported }
        var result = source
        result.planarConfiguration = 0
        result.photometricInterpretation = try decodedColor(source.photometricInterpretation, coding)
        return result
    }

    private static func decodedColor(_ color: String, _ coding: FrameCoding) throws(TranscodingError) -> String {
        switch color {
        case Photometric.rgb: return color
        case Photometric.ybrFull, Photometric.ybrFull422:
            // With loss there is nothing to keep, and everybody understands RGB.
            return coding == .jpegBaseline || coding == .jpegExtended ? Photometric.rgb : Photometric.ybrFull
        case Photometric.ybrICT, Photometric.ybrRCT:
            guard coding == .jpeg2000 || coding == .htj2k else { throw .colorNotSupported }
            return Photometric.rgb
        default: throw .colorNotSupported
        }
    }

    /// The format that describes a frame once it is encoded.
    static func encoded(_ native: PixelFormat, _ coding: FrameCoding) throws(TranscodingError) -> PixelFormat {
        if coding == .native || coding == .deflated { return native }
        var result = native
        if native.samplesPerPixel == 1 {
            guard Photometric.single.contains(native.photometricInterpretation) else { throw .colorNotSupported }
        } else {
            guard native.samplesPerPixel == 3 else { throw .colorNotSupported }
            result.photometricInterpretation = try encodedColor(native.photometricInterpretation, coding)
            // RLE codes planes, all others pixels. PS3.5 §G.2, PS3.3 §C.7.6.3.1.3.
            result.planarConfiguration = coding == .rle ? 1 : 0
        }
        try checkDepth(native, coding)
        if coding.isLossy {
            if native.photometricInterpretation == Photometric.palette { throw .lossyPalette }
            if native.isSigned { throw .signedNotSupported }
        }
        if coding == .jpegBaseline || coding == .jpegExtended {
            // The process has 8 or 12 bits, and loss reaches into all of them.
            result.bitsStored = native.bitsAllocated == 8 ? 8 : 12
            result.highBit = result.bitsStored - 1
        }
        return result
    }

    private static func encodedColor(_ color: String, _ coding: FrameCoding) throws(TranscodingError) -> String {
        switch (color, coding) {
        case (Photometric.rgb, .jpegBaseline), (Photometric.rgb, .jpegExtended), (Photometric.ybrFull, .jpegBaseline),
            (Photometric.ybrFull, .jpegExtended), (Photometric.ybrFull422, .jpegBaseline),
            (Photometric.ybrFull422, .jpegExtended):
            return Photometric.ybrFull422
        case (Photometric.rgb, .jpeg2000), (Photometric.rgb, .htj2k): return Photometric.ybrRCT
        case (Photometric.rgb, _): return color
        case (Photometric.ybrFull, _), (Photometric.ybrFull422, _): return Photometric.ybrFull
        default: throw .colorNotSupported
        }
    }

    private static func checkDepth(_ native: PixelFormat, _ coding: FrameCoding) throws(TranscodingError) {
        let isWhole = native.bitsAllocated == 8 || native.bitsAllocated == 16
        let isSupported =
            switch coding {
            case .native, .deflated: true
            // A segment for each byte of a pixel, of which there are 15 at most. PS3.5 §G.
            case .rle: native.bitsAllocated >= 8 && native.bitsAllocated / 8 * native.samplesPerPixel <= 15
            case .jpegBaseline: native.bitsAllocated == 8
            case .jpegExtended:
                native.bitsAllocated == 8
                    || (native.bitsAllocated == 16 && native.bitsStored <= 12 && native.samplesPerPixel == 1)
            case .jpegLossless, .jpegLSLossless, .jpegLSNearLossless: isWhole && native.bitsStored >= 2
            case .jpeg2000, .htj2k: isWhole
            }
        if !isSupported { throw .bitDepthNotSupported }
    }
}
