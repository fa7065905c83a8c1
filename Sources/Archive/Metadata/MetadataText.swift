import Glibc

/// The DICOM JSON model of one instance's header. PS3.18 Annex F.
public struct MetadataText: Sendable {
    public let bytes: [UInt8]
    /// Where, in ascending order, an address of bulk data begins. It was written as `bulkdata/…`, without knowing under
    /// which name a service would be reached.
    public let addresses: [Int]

    /// What an address begins with. The quote before the name tells it from the same words within a value, where quotes
    /// are escaped.
    private static let opening = Array(#""BulkDataURI":"bulkdata/"#.utf8)
    private static let addressOffset = #""BulkDataURI":""#.utf8.count
    /// A letter of the opening that is seldom elsewhere, and where it stands: quotes are everywhere.
    private static let letter = (code: UInt8(ascii: "k"), offset: 4)

    /// One pass over the bytes.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        addresses = bytes.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return [] }
            var found: [Int] = []
            var index = Self.letter.offset
            while index < bytes.count,
                let next = memchr(base + index, Int32(Self.letter.code), bytes.count - index)
            {
                let start = UnsafeRawPointer(next) - base - Self.letter.offset
                index = UnsafeRawPointer(next) - base + 1
                guard start + Self.opening.count <= bytes.count,
                    memcmp(base + start, Self.opening, Self.opening.count) == 0
                else { continue }
                found.append(start + Self.addressOffset)
            }
            return found
        }
    }
}
