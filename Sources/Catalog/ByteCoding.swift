import DICOM

/// Writes the catalogue's own binary records: little endian, every variable part led by its length.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func integer<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func blob(_ value: [UInt8]) {
        integer(UInt32(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func text(_ value: String) {
        let start = bytes.count
        integer(UInt32(0))
        bytes.append(contentsOf: value.utf8)
        let count = UInt32(bytes.count - start - 4)
        withUnsafeBytes(of: count.littleEndian) { source in
            for index in 0..<4 { bytes[start + index] = source[index] }
        }
    }

    mutating func dataset(_ value: Dataset) { blob(value.encoded(transferSyntax: .explicitVRLittleEndian)) }

    mutating func sender(_ value: Sender) {
        text(value.peer)
        text(value.institution)
        text(value.door)
    }
}

/// Reads what `ByteWriter` wrote; every length is checked before it is used.
struct ByteReader {
    private let bytes: [UInt8]
    private var offset = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func integer<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(CatalogError) -> T {
        let count = MemoryLayout<T>.size
        guard bytes.count - offset >= count else { throw .damagedRecord }
        var value: T = 0
        for index in 0..<count { value |= T(truncatingIfNeeded: bytes[offset + index]) << T(8 * index) }
        offset += count
        return value
    }

    mutating func blob() throws(CatalogError) -> [UInt8] {
        let count = Int(try integer(UInt32.self))
        guard bytes.count - offset >= count else { throw .damagedRecord }
        defer { offset += count }
        return [UInt8](bytes[offset..<offset + count])
    }

    mutating func text() throws(CatalogError) -> String { String(decoding: try blob(), as: UTF8.self) }

    mutating func dataset() throws(CatalogError) -> Dataset { try Dataset.held(try blob()) }

    mutating func sender() throws(CatalogError) -> Sender {
        Sender(peer: try text(), institution: try text(), door: try text())
    }
}

extension Dataset {
    /// A dataset as the catalogue keeps it: explicit VR little endian, text in UTF-8.
    static func held(_ bytes: [UInt8]) throws(CatalogError) -> Dataset {
        do throws(ParseError) {
            return try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)
        } catch { throw .damagedRecord }
    }
}
