import DICOM

extension FrameReader {
    /// Bytes of a frame, counted from 0, that is given just as it lies in the dataset; nil for any other.
    public func storedByteCount(_ index: Int) -> Int? {
        guard isPlain, index >= 0, index < frameCount, layout.isEncapsulated || layout.firstBit(ofFrame: index) == 0
        else { return nil }
        let count = layout.frameRanges(index).reduce(UInt64(0)) { $0 + $1.length }
        guard count > 0, count <= TranscodingLimits().frameByteCount, count <= content.byteCount else { return nil }
        return Int(count)
    }

    /// Reads such a frame into memory of its size.
    public func readStored(_ index: Int, into memory: UnsafeMutableRawBufferPointer) throws(ArchiveError) {
        var filled = 0
        for range in layout.frameRanges(index) {
            let part = UnsafeMutableRawBufferPointer(rebasing: memory[filled..<(filled + Int(range.length))])
            guard try content.read(offset: range.offset, into: part) == part.count else { throw .damaged }
            filled += part.count
        }
    }
}
