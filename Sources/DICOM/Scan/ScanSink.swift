/// What a scan tells of a dataset, in the order of the stream.
protocol ScanSink {
    /// Whether a value of unknown VR that begins with an item is told as a sequence; otherwise it is a value.
    var entersUnknownSequences: Bool { get }
    /// The most bytes of this value that are wanted in one piece by `value`; longer ones come in parts.
    func wholeByteCount(_ header: ElementHeader) -> UInt64
    /// A value in one piece, in the byte order of the header; `isWhole` is false when the stream ended inside it.
    mutating func value(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError)

    mutating func beginParts(_ header: ElementHeader) throws(ParseError)
    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError)
    /// `byteCount` is what came, less than the header says when the stream ended.
    mutating func endParts(_ header: ElementHeader, byteCount: UInt64) throws(ParseError)

    mutating func beginSequence(_ header: ElementHeader) throws(ParseError)
    mutating func beginItem() throws(ParseError)
    mutating func endItem() throws(ParseError)
    mutating func endSequence() throws(ParseError)

    /// Encapsulated pixel data: between these the fragments come as values or parts whose tag is `.item`; the first
    /// is the offset table. PS3.5 §A.4.
    mutating func beginFragments(_ header: ElementHeader) throws(ParseError)
    /// `end` is the offset after the sequence delimiter, or where it is missing.
    mutating func endFragments(end: UInt64) throws(ParseError)
}

extension ScanSink {
    var entersUnknownSequences: Bool { true }
}
