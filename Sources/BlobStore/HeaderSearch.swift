import Keys

/// Reads the headers of one pack.
struct HeaderSearch {
    private static let blockByteCount = 1 << 20

    let file: OpenFile
    let number: UInt32

    /// The header at an offset, or nil where none is.
    func header(at offset: UInt64) throws(BlobError) -> ObjectHeader? {
        let bytes = try BlobError.wrapping { () throws(SystemFailure) in
            try file.read(count: ObjectHeader.byteCount, at: offset)
        }
        let location = BlobLocation(pack: number, offset: offset)
        return bytes.withUnsafeBytes { ObjectHeader($0, at: location) }
    }

    /// A header behind a place that has none: then the place is damaged and not the pack's end.
    ///
    /// Old bytes behind the end cannot be taken for one, because a header that is given up is overwritten first.
    func next(after offset: UInt64, limit: UInt64) throws(BlobError) -> UInt64? {
        let page = ChunkFormat.pageByteCount
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.blockByteCount, alignment: page)
        defer { block.deallocate() }
        var blockOffset = ChunkFormat.roundedUp(offset + 1)
        while blockOffset < limit {
            let place = blockOffset
            let count = try BlobError.wrapping { () throws(SystemFailure) in try file.read(into: block, at: place) }
            for start in stride(from: 0, to: count, by: page) {
                let bytes = UnsafeRawBufferPointer(rebasing: block[start..<min(start + ObjectHeader.byteCount, count)])
                let location = BlobLocation(pack: number, offset: blockOffset + UInt64(start))
                if ObjectHeader.hasMagic(bytes), ObjectHeader(bytes, at: location) != nil { return location.offset }
            }
            if count < block.count { return nil }
            blockOffset += UInt64(count)
        }
        return nil
    }

    /// Gives the headers from `offset` to `end`, hopping over damage, until `each` returns false.
    ///
    /// - Returns: where it stopped.
    func walk(
        from offset: UInt64, to end: UInt64, each: (ObjectHeader) throws(BlobError) -> Bool
    ) throws(BlobError) -> UInt64 {
        var offset = offset
        while offset < end {
            guard let header = try header(at: offset) else {
                offset = try next(after: offset, limit: end) ?? end
                continue
            }
            guard try each(header) else { return offset }
            offset += header.extent
        }
        return offset
    }
}
