import DICOM

/// Seals what de-identification changes for key holders, into the object itself. PS3.15 §E.1.1, PS3.3 §C.12.1.1.4.
///
/// Original values go into the Modified Attributes Sequence (0400,0550) of an envelope in the Encrypted Attributes
/// Sequence (0400,0500). Any thread.
public struct Escrow: Sendable {
    /// Key holders of one object.
    public static let holderLimit = EnvelopedData.recipientLimit
    /// Bytes of one attribute; longer ones, such as documents, are gone for good.
    public static let valueByteCountLimit = 64 << 10
    /// Bytes of all that is sealed of one object.
    public static let byteCountLimit = 4 << 20

    private let holders: [KeyHolder]

    /// - Parameter holders: each alone can open.
    /// - Throws: `.recipients` for none and for too many.
    public init(_ holders: [KeyHolder]) throws(EscrowError) {
        guard (1...EnvelopedData.recipientLimit).contains(holders.count) else {
            throw .recipients(limit: EnvelopedData.recipientLimit)
        }
        self.holders = holders
    }

    /// The sequence for a de-identified object, with what it has not, or has otherwise than its source.
    ///
    /// - Parameters:
    ///   - source: the original's attributes, pixel data not among them.
    ///   - result: the de-identified object's.
    public func element(source: Dataset, result: Dataset) throws(EscrowError) -> Element {
        var originals = Dataset()
        for element in source.elements where isSealed(element) {
            if result[element.tag]?.hasSameContents(as: element) == true { continue }
            originals.set(element)
        }
        let bytes = Self.wrapped(originals.encoded(transferSyntax: .explicitVRLittleEndian))
        guard bytes.count <= Self.byteCountLimit else { throw .tooLong(byteCountLimit: Self.byteCountLimit) }
        var item = Dataset()
        item.set(Tag(0x0400_0510), .UI, string: TransferSyntax.explicitVRLittleEndian.uid)
        let envelope = try EnvelopedData.sealed(bytes, for: holders, cipher: .standard)
        item.set(Tag(0x0400_0520), .OB, bytes: envelope + (envelope.count % 2 == 1 ? [0] : []))
        return Element(Tag(0x0400_0500), .SQ, .items([item]))
    }

    /// The sequence (0400,0550) around one item, and nothing beside it, as GDCM wants it: the character set is the item's.
    private static func wrapped(_ item: [UInt8]) -> [UInt8] {
        func little(_ number: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        let header: [UInt8] = [0x00, 0x04, 0x50, 0x05] + Array("SQ".utf8) + [0, 0] + little(item.count + 8)
        return header + [0xFE, 0xFF, 0x00, 0xE0] + little(item.count) + item
    }

    private func isSealed(_ element: Element) -> Bool {
        let tag = element.tag
        guard !tag.isGroupLength, tag < Tag(0x7FE0_0000), tag.group > 2, tag != .specificCharacterSet,
            !(0x5000...0x60FF).contains(tag.group), tag != Tag(0x0400_0500)
        else { return false }
        return element.byteCount <= Self.valueByteCountLimit
    }
}

extension Element {
    /// Bytes of the value, those of nested items included.
    fileprivate var byteCount: Int {
        switch value {
        case .bytes(let bytes): bytes.count
        case .items(let items): items.reduce(0) { $0 + $1.elements.reduce(8) { $0 + 12 + $1.byteCount } }
        case .bulk, .fragments: .max / 4
        }
    }

    fileprivate func hasSameContents(as other: Element) -> Bool {
        switch (value, other.value) {
        case (.bytes(let left), .bytes(let right)): Self.trimmed(left) == Self.trimmed(right)
        case (.items(let left), .items(let right)):
            left.count == right.count
                && zip(left, right).allSatisfy { one, two in
                    one.count == two.count
                        && zip(one.elements, two.elements).allSatisfy { $0.tag == $1.tag && $0.hasSameContents(as: $1) }
                }
        default: false
        }
    }

    private static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        var bytes = bytes[...]
        while let last = bytes.last, last == 0 || last == 0x20 { bytes.removeLast() }
        return bytes
    }
}
