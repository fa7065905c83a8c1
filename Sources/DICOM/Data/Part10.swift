/// The DICOM file format. PS3.10 §7.1.
public enum Part10 {
    /// Bytes of preamble and prefix.
    public static let preambleByteCount = 132
    /// The most bytes of file meta information that are read.
    public static let metaByteCountLimit = 1 << 20
    public static let implementationVersionName = "HUIZHEN"

    /// What precedes a file's dataset.
    public struct Meta: Sendable {
        /// The elements of group 0002; empty when the file has none.
        public var meta: Dataset
        /// Where the dataset begins.
        public var datasetOffset: Int
        /// The syntax the file names, else the one its first element shows.
        public var transferSyntax: TransferSyntax
    }

    /// Reads the beginning of a file; nil when it is no DICOM.
    ///
    /// Tolerates a missing preamble, and a dataset without any file meta information.
    ///
    /// - Parameter bytes: at least the file's file meta information and eight bytes of its dataset.
    /// - Throws: `.truncated` if the file meta information goes on after `bytes`; `.badLength` if it is too long.
    public static func parseMeta(_ bytes: UnsafeRawBufferPointer) throws(ParseError) -> Meta? {
        var start = 0
        if bytes.count >= preambleByteCount, bytes[128..<132].elementsEqual("DICM".utf8) {
            start = preambleByteCount
        } else if bytes.count >= 4, bytes[0..<4].elementsEqual("DICM".utf8) {
            start = 4
        }
        let end = try endOfMeta(bytes, from: start)
        if end == start, start == 0 {
            return bareSyntax(bytes).map { Meta(meta: Dataset(), datasetOffset: 0, transferSyntax: $0) }
        }
        var limits = ScanLimits()
        limits.heldValueByteCount = metaByteCountLimit
        var scanner = DatasetScanner(transferSyntax: .explicitVRLittleEndian, limits: limits)
        try scanner.feed(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        let meta = try scanner.finish().header
        let rest = UnsafeRawBufferPointer(rebasing: bytes[end...])
        let named = meta.string(.transferSyntaxUID) ?? ""
        let syntax = named.isEmpty ? bareSyntax(rest) ?? .implicitVRLittleEndian : TransferSyntax(uid: named)
        return Meta(meta: meta, datasetOffset: end, transferSyntax: syntax)
    }

    public static func parseMeta(_ bytes: [UInt8]) throws(ParseError) -> Meta? {
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try parseMeta(UnsafeRawBufferPointer(buffer))
        }
    }

    /// Where the elements of group 0002 end. Their group length is not trusted: it is wrong often enough.
    private static func endOfMeta(_ bytes: UnsafeRawBufferPointer, from start: Int) throws(ParseError) -> Int {
        var offset = start
        var encoding = ElementEncoding.explicitLittleEndian
        while offset + 8 <= bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
            if encoding.uint16(rest, at: 0) != 2 { return offset }
            if offset == start { encoding = encoding.corrected(by: rest) }
            var needed = 0
            guard let header = encoding.read(rest, needed: &needed) else {
                throw .truncated(byteOffset: UInt64(offset))
            }
            let next = offset + header.byteCount + Int(header.length)
            if next - start > metaByteCountLimit { throw .badLength(byteOffset: UInt64(offset)) }
            if next > bytes.count { throw .truncated(byteOffset: UInt64(bytes.count)) }
            offset = next
        }
        if offset > start, offset < bytes.count { throw .truncated(byteOffset: UInt64(bytes.count)) }
        return offset
    }

    /// The syntax of a dataset that nothing announces, nil when its first element is none of a dataset.
    private static func bareSyntax(_ bytes: UnsafeRawBufferPointer) -> TransferSyntax? {
        guard bytes.count >= 8 else { return nil }
        let encoding = ElementEncoding.explicitLittleEndian.corrected(by: bytes)
        let tag = encoding.tag(bytes)
        guard Dictionary.vr(of: tag) != nil, (0x0008...0x0020).contains(tag.group) else { return nil }
        if !encoding.isExplicitVR { return .implicitVRLittleEndian }
        guard VR(bytes: bytes[4], bytes[5]) != nil else { return nil }
        return encoding.isBigEndian ? .explicitVRBigEndian : .explicitVRLittleEndian
    }

    /// What a file begins with: preamble, prefix and file meta information. PS3.10 §7.1.
    public static func header(
        sopClassUID: String, sopInstanceUID: String, transferSyntax: TransferSyntax, sourceAETitle: String? = nil
    ) -> [UInt8] {
        var meta = Dataset()
        meta.set(.fileMetaInformationVersion, .OB, bytes: [0, 1])
        meta.set(.mediaStorageSOPClassUID, .UI, string: sopClassUID)
        meta.set(.mediaStorageSOPInstanceUID, .UI, string: sopInstanceUID)
        meta.set(.transferSyntaxUID, .UI, string: transferSyntax.uid)
        meta.set(.implementationClassUID, .UI, string: UIDs.implementationClass)
        meta.set(.implementationVersionName, .SH, string: implementationVersionName)
        if let sourceAETitle, !sourceAETitle.isEmpty {
            meta.set(.sourceApplicationEntityTitle, .AE, string: sourceAETitle)
        }
        let body = meta.encoded(transferSyntax: .explicitVRLittleEndian)
        var bytes = [UInt8](repeating: 0, count: 128)
        bytes += "DICM".utf8
        // (0002,0000) UL: the bytes that follow it.
        bytes += [0x02, 0x00, 0x00, 0x00, 0x55, 0x4C, 0x04, 0x00]
        for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: body.count >> (8 * index))) }
        return bytes + body
    }
}
