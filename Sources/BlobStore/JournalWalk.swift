import Keys

/// A reading of one journal file, frame by frame.
struct JournalWalk {
    private static let searchByteCount = 1 << 20

    /// Where the last good frame ends.
    private(set) var end: UInt64 = 0
    /// How many bytes of an unfinished frame follow; known once `next` returned nil.
    private(set) var tornByteCount: UInt64 = 0
    /// Where a frame should be and is not, although one follows.
    private(set) var damaged: [BlobLocation] = []

    private let file: OpenFile
    private let number: UInt32
    private let key: SymmetricKey
    private let limit: UInt64
    private let cipher: AuthenticatedCipher
    private var offset: UInt64 = 0

    /// - Parameter limit: where to stop, if not at the file's end.
    init(file: OpenFile, number: UInt32, key: SymmetricKey, limit: UInt64?) throws(BlobError) {
        self.file = file
        self.number = number
        self.key = key
        let byteCount = try BlobError.wrapping { () throws(SystemFailure) in try file.byteCount() }
        self.limit = limit ?? byteCount
        cipher = try BlobError.unlocking { () throws(KeyError) in try AuthenticatedCipher() }
    }

    /// The events of the next frame that opens; nil at the end.
    mutating func next() throws(BlobError) -> [StoredEvent]? {
        while offset < limit {
            if let (events, byteCount) = try frame(at: offset) {
                offset += UInt64(byteCount)
                end = offset
                return events
            }
            guard let following = try nextHeader(after: offset) else {
                tornByteCount = limit - offset
                offset = limit
                return nil
            }
            damaged.append(BlobLocation(pack: number, offset: offset))
            offset = following
        }
        return nil
    }

    private func frame(at offset: UInt64) throws(BlobError) -> (events: [StoredEvent], byteCount: Int)? {
        let header = try BlobError.wrapping { () throws(SystemFailure) in
            try file.read(count: EventFrame.headerByteCount, at: offset)
        }
        let location = BlobLocation(pack: number, offset: offset)
        guard let byteCount = EventFrame.byteCount(header: header[...], at: location),
            UInt64(byteCount) <= limit - offset
        else { return nil }
        let bytes = try BlobError.wrapping { () throws(SystemFailure) in try file.read(count: byteCount, at: offset) }
        guard bytes.count == byteCount else { return nil }
        do throws(KeyError) {
            guard let events = EventFrame.events(in: try EventFrame.open(bytes, key: key, cipher: cipher)) else {
                return nil
            }
            return (events, byteCount)
        } catch {
            if error == .refused { return nil }
            throw .key(error)
        }
    }

    private func nextHeader(after offset: UInt64) throws(BlobError) -> UInt64? {
        var place = offset + 1
        while place < limit {
            let start = place
            let block = try BlobError.wrapping { () throws(SystemFailure) in
                try file.read(count: Self.searchByteCount, at: start)
            }
            guard block.count >= EventFrame.headerByteCount else { return nil }
            for index in 0...(block.count - EventFrame.headerByteCount) where block[index] == EventFrame.firstByte {
                let location = BlobLocation(pack: number, offset: place + UInt64(index))
                let header = block[index..<(index + EventFrame.headerByteCount)]
                if EventFrame.byteCount(header: header, at: location) != nil { return location.offset }
            }
            // Blocks overlap by less than a header, so that none is cut in two.
            place += UInt64(block.count - EventFrame.headerByteCount + 1)
        }
        return nil
    }
}
