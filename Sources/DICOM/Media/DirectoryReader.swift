/// Reads the records of a DICOMDIR as a stream, in the order in which they lie in the file. PS3.3 §F.3.
///
/// Offsets are noted and not followed, so that no file can lead it in circles. Used by one thread; holds one record.
public struct DirectoryReader: ~Copyable {
    private var machine: ScanMachine<DirectorySink>
    private let recordLimit: Int
    private var recordCount = 0

    /// Records of one DICOMDIR.
    public static let defaultRecordLimit = 10_000_000

    /// - Parameter datasetOffset: where the dataset begins in the file, for offsets count from the file's first byte.
    public init(
        transferSyntax: TransferSyntax, datasetOffset: UInt64, recordLimit: Int = Self.defaultRecordLimit
    ) {
        var limits = ScanLimits()
        // Records are bounded by their own limit; nothing of them is kept here.
        limits.elementCount = .max
        machine = ScanMachine(
            sink: DirectorySink(datasetOffset: datasetOffset), encoding: ElementEncoding(transferSyntax), limits: limits
        )
        self.recordLimit = recordLimit
    }

    /// Offset of the first record of the root, once it has come. (0004,1200)
    public var firstRoot: UInt64 { machine.sink.firstRoot }

    /// Whether the sequence of records has come. (0004,1220)
    public var isDirectory: Bool { machine.sink.isDirectory }

    /// Takes the next bytes of the dataset and gives the records that end in them.
    ///
    /// - Throws: `.bound`, `.tooManyRecords`.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(DirectoryFault) -> [DirectoryEntry] {
        do throws(ParseError) { try machine.feed(bytes) } catch { throw .bound(error) }
        return try taken()
    }

    /// The last records.
    ///
    /// - Throws: `.notADirectory`, `.truncated`, `.bound`, `.tooManyRecords`.
    public mutating func finish() throws(DirectoryFault) -> [DirectoryEntry] {
        let isCut: Bool
        do throws(ParseError) {
            try machine.closeEndedFrames()
            // Zeros after the last record do no harm.
            isCut = machine.frames.count > 1 || machine.remaining > 0
            try machine.finish()
        } catch { throw .bound(error) }
        guard isDirectory else { throw .notADirectory }
        if isCut { throw .truncated }
        return try taken()
    }

    private mutating func taken() throws(DirectoryFault) -> [DirectoryEntry] {
        let entries = machine.sink.take()
        recordCount += entries.count
        if recordCount > recordLimit { throw .tooManyRecords(limit: recordLimit) }
        return entries
    }
}

/// Keeps what links the records and names their files.
private struct DirectorySink: ScanSink {
    /// Bytes of a value that is wanted; a File ID has at most 71. PS3.10 §8.2.
    private static let valueByteCountLimit: UInt64 = 4096

    let datasetOffset: UInt64
    private(set) var firstRoot: UInt64 = 0
    private(set) var isDirectory = false
    private var found: [DirectoryEntry] = []
    private var entry = DirectoryEntry()
    /// Sequences around what comes next.
    private var depth = 0
    private var isInRecords = false

    init(datasetOffset: UInt64) { self.datasetOffset = datasetOffset }

    mutating func take() -> [DirectoryEntry] {
        defer { found.removeAll(keepingCapacity: true) }
        return found
    }

    private func isWanted(_ header: ElementHeader) -> Bool {
        switch header.tag {
        case .offsetOfFirstRoot: header.depth == 0
        case .offsetOfNextRecord, .recordInUseFlag, .offsetOfLowerLevel, .directoryRecordType, .referencedFileID,
            .referencedSOPInstanceUIDInFile:
            isInRecords && header.depth == 1
        default: false
        }
    }

    func wholeByteCount(_ header: ElementHeader) -> UInt64 { isWanted(header) ? Self.valueByteCountLimit : 0 }

    mutating func value(
        _ header: ElementHeader, _ bytes: UnsafeRawBufferPointer, isWhole: Bool
    ) throws(ParseError) {
        place(header)
        guard isWanted(header) else { return }
        switch header.tag {
        case .offsetOfFirstRoot: firstRoot = Self.number(header, bytes)
        case .offsetOfNextRecord: entry.link.nextOffset = Self.number(header, bytes)
        case .offsetOfLowerLevel: entry.link.lowerOffset = Self.number(header, bytes)
        case .recordInUseFlag: entry.link.isInUse = Self.number(header, bytes) != 0
        case .directoryRecordType: entry.type = Padding.text(bytes, vr: .CS)
        case .referencedSOPInstanceUIDInFile: entry.sopInstanceUID = Padding.text(bytes, vr: .UI)
        default:
            // Not only CS characters are met: text is read as a person's file system would show it.
            let text = CharacterSet.undeclared.decode(bytes, vr: .LO)
            entry.fileID = text.split(separator: "\\", omittingEmptySubsequences: false).map {
                String($0.drop { $0 == " " }.reversed().drop { $0 == " " || $0 == "\0" }.reversed())
            }
            if entry.fileID == [""] { entry.fileID = [] }
        }
    }

    private static func number(_ header: ElementHeader, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
        let encoding = ElementEncoding(isExplicitVR: true, isBigEndian: header.isBigEndian)
        if bytes.count >= 4 { return UInt64(encoding.uint32(bytes, at: 0)) }
        return bytes.count >= 2 ? UInt64(encoding.uint16(bytes, at: 0)) : 0
    }

    /// The first element of a record shows where the record's item begins: eight bytes before it.
    private mutating func place(_ header: ElementHeader) {
        guard isInRecords, header.depth == 1, entry.link.offset == nil else { return }
        let headerByteCount: UInt64 = header.isVRWritten && header.vr.isLong ? 12 : 8
        guard header.valueOffset >= headerByteCount + 8 else { return }
        entry.link.offset = datasetOffset + header.valueOffset - headerByteCount - 8
    }

    mutating func beginParts(_ header: ElementHeader) throws(ParseError) { place(header) }
    mutating func part(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {}
    mutating func endParts(_ header: ElementHeader, byteCount: UInt64) throws(ParseError) {}

    mutating func beginSequence(_ header: ElementHeader) throws(ParseError) {
        place(header)
        if depth == 0, header.tag == .directoryRecordSequence {
            isInRecords = true
            isDirectory = true
        }
        depth += 1
    }

    mutating func beginItem() throws(ParseError) {
        if isInRecords, depth == 1 { entry = DirectoryEntry() }
    }

    mutating func endItem() throws(ParseError) {
        if isInRecords, depth == 1, !entry.type.isEmpty || entry.link.offset != nil { found.append(entry) }
    }

    mutating func endSequence() throws(ParseError) {
        depth -= 1
        if depth == 0 { isInRecords = false }
    }

    mutating func beginFragments(_ header: ElementHeader) throws(ParseError) {}
    mutating func endFragments(end: UInt64) throws(ParseError) {}
}
