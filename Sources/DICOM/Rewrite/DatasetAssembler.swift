/// What stands at an address of a model.
public struct BulkContent: Sendable {
    /// Bytes of each of its parts, in order: the frames of an image, or one.
    public var partByteCounts: [UInt64]
    /// Whether each part is a fragment of its own.
    public var isEncapsulated: Bool

    public init(partByteCounts: [UInt64], isEncapsulated: Bool) {
        self.partByteCounts = partByteCounts
        self.isEncapsulated = isEncapsulated
    }
}

/// Writes a dataset of a model, and what stands at its addresses, in explicit VR little endian. PS3.5 §7.1, §A.4.
///
/// Holds the model and one piece.
public enum DatasetAssembler {
    /// Gives all bytes of a part of what stands at an address, in pieces.
    public typealias Read = (
        _ addressIndex: Int, _ partIndex: Int, _ give: (UnsafeRawBufferPointer) throws -> Void
    ) throws -> Void

    private static let pieceByteCount = 256 << 10

    /// File meta information and group lengths are left out; text is UTF-8 and declared as such.
    ///
    /// - Parameters:
    ///   - contents: for each address.
    ///   - emit: takes the dataset's bytes.
    /// - Throws: `.frames` for what `read` throws or a part that is not as long as was said, `.output` for what `emit`
    ///   throws, `.wrongPixelData` for a part that is too long for its length field.
    public static func write(
        _ model: ModelDataset, contents: [BulkContent], read: @escaping Read,
        emit: @escaping (UnsafeRawBufferPointer) throws -> Void
    ) throws(RewriteError) {
        let writer = PieceWriter(encoding: .explicitLittleEndian, pieceByteCount: pieceByteCount) { bytes, _ in
            if !bytes.isEmpty { try emit(bytes) }
        }
        let output = AssembledOutput(writer: writer, contents: contents, read: read)
        do throws(ParseError) {
            try output.write(model.dataset.declaringUTF8())
            try writer.finish()
        } catch { throw writer.failure ?? .unreadable(error) }
    }
}

extension Dataset {
    /// The same with its text declared as what it is held in, where there is any that is not ASCII.
    fileprivate func declaringUTF8() -> Dataset {
        var result = self
        result.removeAll { $0.tag.group == 0x0002 }
        if !isTextASCII || contains(.specificCharacterSet) {
            result.set(.specificCharacterSet, .CS, string: "ISO_IR 192")
        }
        return result
    }
}

private struct AssembledOutput {
    let writer: PieceWriter
    let contents: [BulkContent]
    let read: DatasetAssembler.Read

    /// As it stands in a value of VR UN, which is little endian.
    private static let itemTag: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]

    /// A part is not as long as was said.
    private struct WrongLength: Error {}

    func write(_ dataset: Dataset) throws(ParseError) {
        for element in dataset.elements where !element.tag.isGroupLength {
            switch element.value {
            case .bytes(let bytes):
                // A value that is no sequence and begins as one would be read as one under UN.
                if element.vr == .UN, bytes.starts(with: Self.itemTag) {
                    try ElementOutput(writer: writer).write(Element(element.tag, .OB, element.value))
                    continue
                }
                let isDeclaration = element.tag == .specificCharacterSet
                let declared = Element(element.tag, .CS, .bytes(Array("ISO_IR 192".utf8)))
                try ElementOutput(writer: writer).write(isDeclaration ? declared : element)
            case .items(let items): try write(element.tag, items)
            case .bulk(let index, _): try write(element, Int(clamping: index))
            case .fragments: break
            }
        }
    }

    private func write(_ tag: Tag, _ items: [Dataset]) throws(ParseError) {
        try writer.writeHeader(tag, .SQ, length: items.isEmpty ? 0 : .max)
        if items.isEmpty { return }
        for item in items {
            try writer.writeDelimiter(.item, length: .max)
            try write(item)
            try writer.writeDelimiter(.itemDelimitationItem)
        }
        try writer.writeDelimiter(.sequenceDelimitationItem)
    }

    private func write(_ element: Element, _ index: Int) throws(ParseError) {
        guard contents.indices.contains(index) else { return }
        let content = contents[index]
        if content.isEncapsulated {
            try writer.writeHeader(element.tag, .OB, length: .max)
            try writer.writeDelimiter(.item)
            for (part, byteCount) in content.partByteCounts.enumerated() {
                let length = try length(byteCount, part)
                try writer.writeDelimiter(.item, length: length + length % 2)
                try pull(index, part, byteCount)
                if length % 2 == 1 { try writer.write(byte: 0) }
            }
            return try writer.writeDelimiter(.sequenceDelimitationItem)
        }
        let length = try length(content.partByteCounts.reduce(0) { $0 &+ $1 }, 0)
        // What is too long for a length of 16 bits is written as UN. PS3.5 §6.2.2.
        let vr = !element.vr.isLong && length > 0xFFFE ? VR.UN : element.vr
        try writer.writeHeader(element.tag, vr, length: length + length % 2)
        for (part, byteCount) in content.partByteCounts.enumerated() { try pull(index, part, byteCount) }
        if length % 2 == 1 { try writer.write(byte: element.vr.paddingByte) }
    }

    private func length(_ byteCount: UInt64, _ part: Int) throws(ParseError) -> UInt32 {
        guard let length = UInt32(exactly: byteCount), length < UInt32.max - 1 else {
            throw writer.stop(.wrongPixelData(frameIndex: part))
        }
        return length
    }

    private func pull(_ index: Int, _ part: Int, _ byteCount: UInt64) throws(ParseError) {
        var left = byteCount
        do {
            try read(index, part) { bytes in
                guard UInt64(bytes.count) <= left else { throw WrongLength() }
                left -= UInt64(bytes.count)
                try writer.write(bytes)
            }
            if left > 0 { throw WrongLength() }
        } catch { throw writer.stop(.frames(error)) }
    }
}
