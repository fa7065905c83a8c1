/// A range of an object's bytes.
struct Piece: Hashable, Sendable {
    /// Objects up to this many bytes go whole.
    static let wholeLimit: UInt64 = 4 << 20
    /// What larger ones are cut at.
    static let cutByteCount: UInt64 = 2 << 20
    /// Where ranges of larger ones begin and end, and of those that may go whole; but for the object's end.
    static let rangeByteCount: UInt64 = 1 << 20
    static let wholeRangeByteCount: UInt64 = 64 << 10

    var object: Int
    var offset: UInt64
    var byteCount: UInt32

    var end: UInt64 { offset + UInt64(byteCount) }

    /// Where ranges of an object of so many bytes begin and end.
    static func rangeByteCount(of byteCount: UInt64) -> UInt64 {
        byteCount <= wholeLimit ? wholeRangeByteCount : rangeByteCount
    }

    /// Whether it is an object of so many bytes that goes whole.
    func isWhole(of byteCount: UInt64) -> Bool {
        offset == 0 && UInt64(self.byteCount) == byteCount && byteCount <= Self.wholeLimit
    }

    /// Whether it begins and ends where pieces of an object of so many bytes do.
    func fits(_ byteCount: UInt64) -> Bool {
        let range = Self.rangeByteCount(of: byteCount)
        return offset.isMultiple(of: range) && (end == byteCount || end.isMultiple(of: range)) && end <= byteCount
    }

    /// Whether another is a part of it, or the same.
    func holds(_ other: Piece) -> Bool { object == other.object && offset <= other.offset && other.end <= end }

    /// The pieces of a range.
    static func cut(object: Int, _ range: Range<UInt64>) -> [Piece] {
        var result: [Piece] = []
        var offset = range.lowerBound
        while offset < range.upperBound {
            let end = min(range.upperBound, (offset / cutByteCount + 1) * cutByteCount)
            result.append(Piece(object: object, offset: offset, byteCount: UInt32(end - offset)))
            offset = end
        }
        return result
    }

    /// The pieces of a whole object.
    static func pieces(object: Int, byteCount: UInt64) -> [Piece] {
        byteCount <= wholeLimit
            ? [Piece(object: object, offset: 0, byteCount: UInt32(byteCount))] : cut(object: object, 0..<byteCount)
    }
}

extension Sequence<Piece> {
    /// Of all of them.
    var byteCount: Int { reduce(0) { $0 + Int($1.byteCount) } }
}
