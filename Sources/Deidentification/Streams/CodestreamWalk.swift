/// A way through a codestream from marker to marker: first one that only looks, then one that leaves out what may go.
///
/// Reads ahead of where it writes.
struct CodestreamWalk {
    private static let tilePartCountLimit = 1 << 16

    let bytes: UnsafeMutableBufferPointer<UInt8>
    /// What the table of lengths is to say; nil for a walk that changes nothing.
    private let table: TilePartLengths?
    private(set) var read = 0
    private(set) var written = 0
    private(set) var hasEnd = false
    /// Of the tile-parts as they will be.
    private(set) var lengths = TilePartLengths()
    private var header: CodestreamHeader

    init(bytes: UnsafeMutableBufferPointer<UInt8>, _ shape: FrameShape?, lengths: TilePartLengths? = nil) {
        self.bytes = bytes
        header = CodestreamHeader(shape)
        table = lengths
    }

    private var malformed: StreamError { .malformed(byteOffset: read) }

    mutating func run() throws(StreamError) {
        guard bytes.count >= 6, number(0) == 0xFF4F, number(2) == 0xFF51 else { throw malformed }
        move(2)
        try parts()
        guard header.isUsed else { throw malformed }
    }

    private mutating func parts() throws(StreamError) {
        var marker = try mainHeader()
        var count = 0
        while marker == 0xFF90 {
            count += 1
            guard count <= Self.tilePartCountLimit else { throw malformed }
            try tilePart()
            // The end is missing, as it is in the field; what is there is whole.
            guard bytes.count - read >= 2 else { return }
            marker = number(read)
        }
        guard marker == 0xFFD9, count > 0 else {
            // Padding behind a last tile-part without an end.
            if count > 0, read + 1 == bytes.count || marker == 0 { return }
            throw malformed
        }
        move(2)
        hasEnd = true
    }

    private func number(_ at: Int) -> Int {
        at + 1 < bytes.count ? Int(bytes[at]) << 8 | Int(bytes[at + 1]) : 0
    }

    /// Bytes of a segment with its marker.
    private func segmentByteCount() throws(StreamError) -> Int {
        guard bytes.count - read >= 4 else { throw malformed }
        let length = number(read + 2)
        guard length >= 2, bytes.count - read >= length + 2 else { throw malformed }
        return length + 2
    }

    private mutating func move(_ count: Int) {
        if table != nil, written != read, let base = bytes.baseAddress {
            UnsafeMutableRawPointer(base + written).copyMemory(from: base + read, byteCount: count)
        }
        written += count
        read += count
    }

    /// Keeps a segment that is as long as it says of itself.
    private mutating func keep(_ marker: Int, _ count: Int) throws(StreamError) {
        let segment = UnsafeBufferPointer(rebasing: bytes[read..<read + count])
        // Extensions change what the coefficients mean, and hold anything. ISO/IEC 15444-2 §A.
        if (0xFF70...0xFF7F).contains(marker) { throw .notCleanable }
        guard header.takes(marker, segment) else { throw malformed }
        move(count)
    }

    private mutating func mainHeader() throws(StreamError) -> Int {
        while true {
            let marker = number(read)
            if marker == 0xFF90 { return marker }
            let count = try segmentByteCount()
            switch marker {
            // Comments, lengths of packets, places of components.
            case 0xFF64, 0xFF57, 0xFF63: read += count
            case 0xFF55: try tableOfLengths(count)
            case 0xFF50, 0xFF51, 0xFF56, 0xFF59, 0xFF60: try keep(marker, count)
            default:
                guard CodestreamHeader.isOfEveryHeader(marker) else { throw malformed }
                try keep(marker, count)
            }
        }
    }

    /// Writes a table of lengths anew, or leaves it out where it was none.
    private mutating func tableOfLengths(_ count: Int) throws(StreamError) {
        lengths.note(UnsafeBufferPointer(rebasing: bytes[read..<read + count]))
        guard let table else { return move(count) }
        let start = written
        guard table.isTrue else {
            read += count
            return
        }
        move(count)
        table.write(UnsafeMutableBufferPointer(rebasing: bytes[start..<start + count]), &lengths)
    }

    /// A tile-part: its length is written anew if something was taken out of its header.
    private mutating func tilePart() throws(StreamError) {
        let start = read
        let writtenStart = written
        guard try segmentByteCount() == 12 else { throw malformed }
        let tile = number(read + 4)
        let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[read + 6 + $1]) }
        let end = length == 0 ? try endOfLast() : start + length
        guard end <= bytes.count, length == 0 || length >= 14 else { throw malformed }
        header.beginTilePart()
        move(12)
        while true {
            let marker = number(read)
            if marker == 0xFF93 {
                move(2)
                break
            }
            let count = try segmentByteCount()
            guard read + count <= end else { throw malformed }
            switch marker {
            // Comments, lengths of packets.
            case 0xFF64, 0xFF58: read += count
            case 0xFF61: try keep(marker, count)
            default:
                guard CodestreamHeader.isOfEveryHeader(marker) else { throw malformed }
                try keep(marker, count)
            }
        }
        guard read <= end else { throw malformed }
        move(end - read)
        let newLength = written - writtenStart
        if table == nil { lengths.append(tile: tile, byteCount: newLength) }
        guard newLength != length, length > 0, table != nil else { return }
        for place in 0..<4 {
            bytes[writtenStart + 6 + place] = UInt8(truncatingIfNeeded: newLength >> (24 - 8 * place))
        }
    }

    /// Where the end of the codestream stands: such a marker is not met in coded data.
    private func endOfLast() throws(StreamError) -> Int {
        var index = read + 12
        while index + 1 < bytes.count {
            if bytes[index] == 0xFF, bytes[index + 1] == 0xD9 { return index }
            index += 1
        }
        throw malformed
    }
}

/// The lengths of a codestream's tile-parts, and the tables that say them. ISO/IEC 15444-1 §A.7.1.
struct TilePartLengths {
    private var parts: [(tile: Int, byteCount: Int)] = []
    private var entryCount = 0
    private var segmentCount = 0
    private var isWellFormed = true
    private var hasShortLengths = false
    private var hasShortTiles = false
    private var hasNoTiles = false

    mutating func append(tile: Int, byteCount: Int) { parts.append((tile, byteCount)) }

    /// Whether the tables have an entry for every tile-part, and room for its numbers.
    var isTrue: Bool {
        isWellFormed && entryCount == parts.count
            && !(hasShortLengths && parts.contains { $0.byteCount > 0xFFFF })
            && !(hasShortTiles && parts.contains { $0.tile > 0xFF })
            && !(hasNoTiles && parts.enumerated().contains { $0.offset != $0.element.tile })
    }

    private static func sizes(_ style: UInt8) -> (tile: Int, length: Int) {
        (Int(style >> 4 & 3), style >> 6 & 1 == 1 ? 4 : 2)
    }

    /// Takes a segment to account.
    mutating func note(_ segment: UnsafeBufferPointer<UInt8>) {
        guard segment.count > 6, segment[5] & 0x8F == 0, segment[5] >> 4 & 3 < 3, segmentCount < 256 else {
            isWellFormed = false
            return
        }
        let (tile, length) = Self.sizes(segment[5])
        if (segment.count - 6) % (tile + length) != 0 { isWellFormed = false }
        entryCount += (segment.count - 6) / (tile + length)
        segmentCount += 1
        if length == 2 { hasShortLengths = true }
        if tile == 1 { hasShortTiles = true }
        if tile == 0 { hasNoTiles = true }
    }

    /// Fills a segment with what is true.
    ///
    /// - Parameter progress: of the walk that writes: which segment it is and how many entries are behind it with it.
    func write(_ segment: UnsafeMutableBufferPointer<UInt8>, _ progress: inout TilePartLengths) {
        let (tile, length) = Self.sizes(segment[5])
        segment[4] = UInt8(truncatingIfNeeded: progress.segmentCount - 1)
        let count = (segment.count - 6) / (tile + length)
        var at = 6
        for part in parts[(progress.entryCount - count)..<progress.entryCount] {
            for (number, size) in [(part.tile, tile), (part.byteCount, length)] {
                for place in (0..<size).reversed() {
                    segment[at] = UInt8(truncatingIfNeeded: number >> (8 * place))
                    at += 1
                }
            }
        }
    }
}
