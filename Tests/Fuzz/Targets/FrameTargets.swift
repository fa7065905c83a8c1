import Codecs
import DICOM

extension FuzzTarget {
    /// Frames whose decoder is ours.
    static let frame = FuzzTarget("frame", byteCountLimit: 4096) { _ in
        frameSeeds(ownCodings)
    } run: { input in
        try convertFrame(input, codings: ownCodings)
    }

    /// Frames whose decoder is a library, and what is read of them before it gets them.
    static let stream = FuzzTarget("stream", byteCountLimit: 4096) { _ in
        frameSeeds(foreignCodings)
    } run: { input in
        try convertFrame(input, codings: foreignCodings)
    }
}

private let ownCodings: [TransferSyntax] = [
    .rleLossless, .deflatedImageFrameCompression, .jpegLosslessSV1, .jpegLSLossless,
]
private let foreignCodings: [TransferSyntax] = [
    .jpegBaseline, .jpegExtended, .jpeg2000Lossless, .htj2kLossless,
]

/// The format that four bytes stand for: at most 64 rows and columns.
private func format(_ choices: [UInt8]) throws -> FrameFormat {
    let samples = choices[2] & 1 == 0 ? 1 : 3
    let allocated = choices[2] & 2 == 0 ? 8 : 16
    return try FrameFormat(
        rows: Int(choices[0] % 64) + 1, columns: Int(choices[1] % 64) + 1, samplesPerPixel: samples,
        bitsAllocated: allocated, bitsStored: allocated - Int(choices[3]) % 8, isSigned: choices[2] & 4 != 0,
        photometricInterpretation: samples == 1 ? .monochrome2 : choices[2] & 8 == 0 ? .rgb : .ybrFull,
        planarConfiguration: choices[2] & 16 == 0 ? 0 : 1)
}

/// Decodes an input, or takes it for pixels and brings them there and back.
private func convertFrame(_ input: [UInt8], codings: [TransferSyntax]) throws {
    var reader = InputReader(input)
    let coding = reader.choice(codings)
    let isNative = reader.byte() & 1 == 1
    guard let format = try? format((0..<4).map { _ in reader.byte() }) else { return }
    if isNative { return try checkRoundTrip(Array(reader.rest), format, coding) }
    let stream = Array(reader.rest)
    if mayBeHighThroughput(stream) { return }
    if coding == .jpegBaseline { _ = FrameCodec.colours(ofJPEG: stream) }
    guard let decoding = try? FrameConversion(from: coding, format, to: .explicitVRLittleEndian, format) else { return }
    // Whatever lay in the output before, a decoded frame is all of the stream's making.
    let one = decoded(stream, decoding, into: 0x00)
    let two = decoded(stream, decoding, into: 0xFF)
    try require(one == two, "a decoded frame has bytes that nobody wrote")
    try require((one?.count ?? format.byteCount) == format.byteCount, "a decoded frame has another size")
}

/// Whether OpenJPH 0.9 would get a stream: by CAP, or by what SIZ or COD say. It asserts what a broken stream breaks,
/// which ends the process: that is why it runs in one of its own, and why it only gets sound streams here.
private func mayBeHighThroughput(_ stream: [UInt8]) -> Bool {
    func has(_ bit: UInt8, at index: Int) -> Bool { index < stream.count && stream[index] & bit != 0 }
    return stream.indices.dropLast().contains { index in
        guard stream[index] == 0xFF else { return false }
        switch stream[index + 1] {
        case 0x50: return true
        case 0x51: return has(0x40, at: index + 4)
        case 0x52: return has(0x40, at: index + 12)
        default: return false
        }
    }
}

private func decoded(_ stream: [UInt8], _ conversion: FrameConversion, into byte: UInt8) -> [UInt8]? {
    var output = [UInt8](repeating: byte, count: conversion.outputByteCountLimit)
    let count = stream.withUnsafeBytes { stream in
        output.withUnsafeMutableBytes { output in
            do throws(CodecError) { return try FrameCodec.convert(stream, conversion, into: output) } catch {
                return -1
            }
        }
    }
    return count < 0 ? nil : Array(output.prefix(count))
}

/// What is encoded without loss comes back.
private func checkRoundTrip(_ bytes: [UInt8], _ format: FrameFormat, _ coding: TransferSyntax) throws {
    guard !bytes.isEmpty else { return }
    let pixels = (0..<format.byteCount).map { index -> UInt8 in
        // Samples keep to their bits: those beside them belong to nobody.
        let isHigh = format.bitsAllocated == 16 && index % 2 == 1
        let bits = format.bitsAllocated == 8 ? format.bitsStored : isHigh ? format.bitsStored - 8 : 8
        return bytes[index % bytes.count] & UInt8(truncatingIfNeeded: (1 << max(0, bits)) - 1)
    }
    guard !format.isSigned,
        let encoding = try? FrameConversion(from: .explicitVRLittleEndian, format, to: coding, format),
        let stream = try? FrameCodec.convert(pixels, encoding)
    else { return }
    let decoding = try FrameConversion(from: coding, format, to: .explicitVRLittleEndian, format)
    let back = try FrameCodec.convert(stream, decoding)
    if coding.isLossy { return try require(back.count == pixels.count, "a frame comes back in another size") }
    try require(back == pixels, "a frame that was encoded without loss comes back otherwise")
}

private func frameSeeds(_ codings: [TransferSyntax]) -> [[UInt8]] {
    let choices: [[UInt8]] = [
        [7, 8, 0, 0], [15, 15, 2, 4], [3, 4, 1, 0], [9, 8, 6, 0], [6, 5, 9, 0], [6, 5, 19, 3],
    ]
    return codings.enumerated().flatMap { index, coding in
        choices.flatMap { choice -> [[UInt8]] in
            guard let format = try? format(choice) else { return [] }
            let pixels = (0..<format.byteCount).map { format.bitsAllocated == 16 && $0 % 2 == 1 ? 0 : UInt8($0 % 97) }
            let native = [UInt8(index), 1] + choice + pixels.prefix(256)
            guard let encoding = try? FrameConversion(from: .explicitVRLittleEndian, format, to: coding, format),
                let stream = try? FrameCodec.convert(pixels, encoding)
            else { return [native] }
            return [native, [UInt8(index), 0] + choice + stream]
        }
    }
}
