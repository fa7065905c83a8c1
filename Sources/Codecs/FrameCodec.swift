import CCodecs
import DICOM

/// The codecs in this process: for workers, and for encoding pixels that are our own.
///
/// Any thread; takes as long as the codec takes, and about as much memory as the native frame twice over.
public enum FrameCodec {
    /// Whether frames of this syntax can be decoded.
    public static func canDecode(_ syntax: TransferSyntax) -> Bool { FrameCoding(syntax) != nil }

    /// Whether frames of this syntax can be made.
    public static func canEncode(_ syntax: TransferSyntax) -> Bool { FrameCoding.canEncode(syntax) }

    /// Converts one frame.
    ///
    /// - Parameter output: room for `conversion.outputByteCountLimit` bytes; undefined after a failure.
    /// - Returns: how many bytes were written. Not padded to an even number.
    /// - Throws: `.malformed`, `.differs`, `.unsupported`, `.incompressible`, `.outOfMemory`.
    public static func convert(
        _ frame: UnsafeRawBufferPointer, _ conversion: FrameConversion, into output: UnsafeMutableRawBufferPointer
    ) throws(CodecError) -> Int {
        hz_codecs_initialize()
        guard let input = frame.baseAddress, let room = output.baseAddress else {
            throw .malformed(coding: conversion.from.name)
        }
        var described = conversion.described
        var written = 0
        let status = unsafe hz_frame_convert(
            &described, input.assumingMemoryBound(to: UInt8.self), frame.count,
            room.assumingMemoryBound(to: UInt8.self), output.count, &written)
        if let error = CodecError(status, .convert(conversion)) { throw error }
        return written
    }

    /// Converts one frame into an array.
    public static func convert(_ frame: [UInt8], _ conversion: FrameConversion) throws(CodecError) -> [UInt8] {
        var failure: CodecError?
        let result = unsafe [UInt8](unsafeUninitializedCapacity: conversion.outputByteCountLimit) { buffer, count in
            let output = UnsafeMutableRawBufferPointer(buffer)
            unsafe frame.withUnsafeBytes { input in
                do throws(CodecError) { count = try unsafe convert(input, conversion, into: output) } catch {
                    failure = error
                }
            }
        }
        if let failure { throw failure }
        return result
    }

    /// What a JPEG stream's own markers say its colours are; nil when they do not, or when it is no JPEG.
    public static func colours(ofJPEG frame: [UInt8]) -> PhotometricInterpretation? {
        var colour = HZColour.other
        let status = unsafe frame.withUnsafeBufferPointer { bytes in
            unsafe bytes.baseAddress.map { unsafe hz_jpeg_colour($0, bytes.count, &colour) }
        }
        guard status == .OK else { return nil }
        switch colour {
        case .RGB: return .rgb
        case .ybrFull: return .ybrFull
        case .other, .ybrFull422, .YBRICT, .YBRRCT: return nil
        }
    }
}
