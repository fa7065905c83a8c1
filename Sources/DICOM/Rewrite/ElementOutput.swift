/// Writes elements that are held in memory; recursive, for what is in memory is no deeper than it was made.
struct ElementOutput {
    let writer: PieceWriter

    /// The value as it is held; what is not held (`.bulk`, `.fragments`) is left out.
    func write(_ element: Element) throws(ParseError) {
        switch element.value {
        case .bytes(let bytes): try write(element.tag, element.vr, bytes)
        case .items(let items): try write(element.tag, items)
        case .bulk, .fragments: break
        }
    }

    private func write(_ tag: Tag, _ vr: VR, _ bytes: [UInt8]) throws(ParseError) {
        let paddedCount = bytes.count + bytes.count % 2
        let isTooLong = writer.encoding.isExplicitVR && !vr.isLong && paddedCount > 0xFFFE
        guard let length = UInt32(exactly: paddedCount), length != .max else {
            throw writer.stop(.unreadable(.badLength(byteOffset: 0)))
        }
        let written = isTooLong ? VR.UN : vr
        let unit = writer.encoding.isBigEndian && written != .UN ? vr.unitByteCount : 1
        try writer.writeHeader(tag, written, length: length)
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try writer.write(UnsafeRawBufferPointer(buffer), swapping: unit)
        }
        if bytes.count % 2 == 1 { try writer.write(byte: vr.paddingByte) }
    }

    private func write(_ tag: Tag, _ items: [Dataset]) throws(ParseError) {
        try writer.writeHeader(tag, .SQ, length: items.isEmpty ? 0 : .max)
        if items.isEmpty { return }
        for item in items {
            try writer.writeDelimiter(.item, length: .max)
            for element in item.elements where !element.tag.isGroupLength { try write(element) }
            try writer.writeDelimiter(.itemDelimitationItem)
        }
        try writer.writeDelimiter(.sequenceDelimitationItem)
    }
}

/// Writes new pixel data frame by frame. PS3.5 §8.1.1 and §A.4.
struct PixelDataOutput {
    let writer: PieceWriter

    func write(_ pixelData: PixelDataRewrite) throws(ParseError) {
        switch pixelData {
        case .passThrough: break
        case .native(let vr, let byteCount, let frames): try writeNative(vr, byteCount, frames)
        case .encapsulated(let frames): try writeEncapsulated(frames)
        }
    }

    private func writeNative(_ vr: VR, _ byteCount: UInt64, _ frames: FrameSource) throws(ParseError) {
        guard let length = UInt32(exactly: byteCount), length < UInt32.max - 1 else {
            throw writer.stop(.wrongPixelData(frameIndex: 0))
        }
        try writer.writeHeader(.pixelData, vr, length: length + length % 2)
        let unit = writer.encoding.isBigEndian ? vr.unitByteCount : 1
        var left = byteCount
        for index in 0..<max(0, frames.frameCount) {
            try pull(frames, index) { bytes throws(ParseError) in
                guard UInt64(bytes.count) <= left, bytes.count % unit == 0 else {
                    throw writer.stop(.wrongPixelData(frameIndex: index))
                }
                left -= UInt64(bytes.count)
                try writer.write(bytes, swapping: unit)
            }
        }
        if left > 0 { throw writer.stop(.wrongPixelData(frameIndex: max(0, frames.frameCount - 1))) }
        if length % 2 == 1 { try writer.write(byte: 0) }
    }

    private func writeEncapsulated(_ frames: FrameSource) throws(ParseError) {
        try writer.writeHeader(.pixelData, .OB, length: .max)
        try writer.writeDelimiter(.item)
        for index in 0..<max(0, frames.frameCount) {
            var givenCount = 0
            try pull(frames, index) { bytes throws(ParseError) in
                givenCount += 1
                guard givenCount == 1, !bytes.isEmpty, let length = UInt32(exactly: bytes.count),
                    length < UInt32.max - 1
                else { throw writer.stop(.wrongPixelData(frameIndex: index)) }
                try writer.writeDelimiter(.item, length: length + length % 2)
                try writer.write(bytes)
                if length % 2 == 1 { try writer.write(byte: 0) }
            }
            if givenCount != 1 { throw writer.stop(.wrongPixelData(frameIndex: index)) }
        }
        try writer.writeDelimiter(.sequenceDelimitationItem)
    }

    private func pull(
        _ frames: FrameSource, _ index: Int, _ write: (UnsafeRawBufferPointer) throws(ParseError) -> Void
    ) throws(ParseError) {
        do { try frames.read(index) { bytes in try write(bytes) } } catch { throw writer.stop(.frames(error)) }
        // Whoever gives frames may not pass on what went wrong here.
        if writer.failure != nil { throw .truncated(byteOffset: writer.byteCount) }
    }
}
