/// One attribute of a dataset. PS3.5 §7.1.
public struct Element: Sendable {
    public var tag: Tag
    public var vr: VR
    public var value: Value

    public init(_ tag: Tag, _ vr: VR, _ value: Value) {
        self.tag = tag
        self.vr = vr
        self.value = value
    }
}

/// What an element holds.
public enum Value: Sendable {
    /// The value in little endian, without trailing padding when it is a string; text is UTF-8.
    case bytes([UInt8])
    /// The items of a sequence.
    case items([Dataset])
    /// Too long to hold: where the value lies, counted from the dataset's first byte (after inflating).
    case bulk(offset: UInt64, length: UInt64)
    /// Encapsulated pixel data, not held.
    indirect case fragments(BulkFragments)
}

/// Where encapsulated pixel data lies. PS3.5 §A.4.
public struct BulkFragments: Hashable, Sendable {
    /// Offset of the first item's tag, counted from the dataset's first byte.
    public var offset: UInt64
    /// Bytes from there up to and with the sequence delimiter.
    public var length: UInt64
    /// How many fragments there are, the offset table not counted.
    public var count: Int

    public init(offset: UInt64, length: UInt64, count: Int) {
        self.offset = offset
        self.length = length
        self.count = count
    }
}
