/// Takes fields off the front of a packet.
struct FieldReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func uint8() throws(SFTPError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .malformed }
        return byte
    }

    mutating func uint32() throws(SFTPError) -> UInt32 { UInt32(truncatingIfNeeded: try number(4)) }

    mutating func uint64() throws(SFTPError) -> UInt64 { try number(8) }

    /// Bytes behind their number.
    mutating func string() throws(SFTPError) -> ArraySlice<UInt8> {
        let count = Int(try uint32())
        guard count <= rest.count else { throw .malformed }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// Nothing may follow.
    func end() throws(SFTPError) { if !rest.isEmpty { throw .malformed } }

    private mutating func number(_ count: Int) throws(SFTPError) -> UInt64 {
        guard rest.count >= count else { throw .malformed }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
