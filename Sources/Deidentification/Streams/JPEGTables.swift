/// The tables of a JPEG stream by what uses them: one that nothing uses could say anything. ISO/IEC 10918-1 §B.2.
struct JPEGTables {
    /// Which tables are used, by their place among all; known once the stream was looked through.
    private(set) var used: Set<Int> = []

    var areAllUsed: Bool { used.count == count }

    private var count = 0
    /// The last table under each name.
    private var places: [Int: Int] = [:]
    /// The table of steps of each component of the frame.
    private var steps: [UInt8: UInt8] = [:]
    private var process: UInt8 = 0

    /// The tables of a segment; nil where it is not as long as they say.
    static func parts(
        _ marker: UInt8, _ bytes: UnsafeMutableBufferPointer<UInt8>, _ range: Range<Int>
    ) -> [(name: Int, range: Range<Int>)]? {
        var parts: [(Int, Range<Int>)] = []
        var at = range.lowerBound
        while at < range.upperBound {
            let head = bytes[at]
            var byteCount = range.count
            var name = Int(marker) << 8
            switch marker {
            case 0xDB:
                guard head >> 4 <= 1, head & 15 <= 3 else { return nil }
                name |= Int(head & 15)
                byteCount = 1 + (head >> 4 == 1 ? 128 : 64)
            case 0xC4:
                guard head >> 4 <= 1, head & 15 <= 3, range.upperBound - at >= 17 else { return nil }
                name |= Int(head)
                byteCount = 17 + (1...16).reduce(0) { $0 + Int(bytes[at + $1]) }
            case 0xCC:
                guard head >> 4 <= 1, head & 15 <= 3 else { return nil }
                name |= Int(head)
                byteCount = 2
            // An interval of restarts, and the parameters of JPEG-LS. ISO/IEC 14495-1 §C.2.4.
            case 0xDD: guard (2...4).contains(byteCount) else { return nil }
            case 0xF8:
                name |= Int(head)
                let isWhole =
                    head == 1 ? byteCount == 11 : head == 4 && byteCount >= 2 && byteCount == 2 + 2 * Int(bytes[at + 1])
                guard isWhole else { return nil }
            default: return nil
            }
            guard byteCount <= range.upperBound - at else { return nil }
            parts.append((name, at..<at + byteCount))
            at += byteCount
        }
        return parts.isEmpty ? nil : parts
    }

    /// Takes a table to account.
    ///
    /// - Returns: its place among all.
    mutating func define(_ name: Int) -> Int {
        places[name] = count
        count += 1
        return count - 1
    }

    /// - Parameter contents: of the frame's header, which is well-formed.
    mutating func beginFrame(_ marker: UInt8, _ contents: Slice<UnsafeMutableBufferPointer<UInt8>>) {
        process = marker
        let start = contents.startIndex
        for component in 0..<Int(contents[start + 5]) {
            steps[contents[start + 6 + 3 * component]] = contents[start + 8 + 3 * component]
        }
    }

    /// - Parameter contents: of the scan's header, which is well-formed.
    mutating func beginScan(_ contents: Slice<UnsafeMutableBufferPointer<UInt8>>) {
        use(0xDD, 0)
        if process == 0xF7 {
            use(0xF8, 1)
            use(0xF8, 4)
            return
        }
        let start = contents.startIndex
        let end = contents.endIndex
        let isLossless = process & 3 == 3
        let isProgressive = process & 3 == 2
        let coding: UInt8 = process >= 0xC9 ? 0xCC : 0xC4
        let isFirstOfDC = contents[end - 3] == 0 && contents[end - 1] >> 4 == 0
        let isOfAC = contents[end - 3] > 0
        for component in 0..<Int(contents[start]) {
            let tables = contents[start + 2 + 2 * component]
            if !isLossless { use(0xDB, steps[contents[start + 1 + 2 * component]] ?? 0) }
            if !isProgressive || isFirstOfDC { use(coding, tables >> 4) }
            if !isLossless, !isProgressive || isOfAC { use(coding, 0x10 | tables & 15) }
        }
    }

    private mutating func use(_ marker: UInt8, _ number: UInt8) {
        if let place = places[Int(marker) << 8 | Int(number)] { used.insert(place) }
    }
}
