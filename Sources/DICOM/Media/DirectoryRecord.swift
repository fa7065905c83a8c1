/// One record of a DICOMDIR to be written. PS3.3 §F.3.2.2.
public struct DirectoryRecord: Sendable {
    /// Bytes of a record past which sequences that are not required are left out of it.
    public static let byteCountLimit = 256 << 10

    /// The object that a record refers to.
    public struct Reference: Sendable {
        public var fileID: FileID
        public var sopClassUID: String
        public var sopInstanceUID: String
        public var transferSyntaxUID: String

        public init(fileID: FileID, sopClassUID: String, sopInstanceUID: String, transferSyntaxUID: String) {
            self.fileID = fileID
            self.sopClassUID = sopClassUID
            self.sopInstanceUID = sopInstanceUID
            self.transferSyntaxUID = transferSyntaxUID
        }
    }

    /// The item with its tag and length, in explicit VR little endian, its offsets zero.
    public private(set) var bytes: [UInt8]
    /// Keywords of required values that the object lacks, made up so that the record is whole.
    public private(set) var madeUp: [String] = []

    /// Where the offset of the next record lies in `bytes`; four bytes, little endian.
    public static let nextOffset = 16
    /// Where the offset of the first record below lies.
    public static let lowerOffset = 38

    /// Makes the record of an object, or of what it belongs to.
    ///
    /// Text keeps the object's character set, where that has all its characters.
    ///
    /// - Parameters:
    ///   - header: the object's attributes.
    ///   - number: what stands for a number or identifier that the object lacks.
    ///   - overrides: what is known better than from the object.
    public init(
        _ type: DirectoryRecordType, header: Dataset, number: Int, reference: Reference? = nil,
        overrides: [Tag: String] = [:]
    ) {
        var record = Dataset()
        record.set(.offsetOfNextRecord, .UL, ints: [0])
        record.set(.recordInUseFlag, .US, ints: [0xFFFF])
        record.set(.offsetOfLowerLevel, .UL, ints: [0])
        record.set(.directoryRecordType, .CS, string: type.rawValue)
        if type == .private { record.set(.privateRecordUID, .UI, string: DirectoryRecordType.privateRecordUID) }
        if let reference {
            record.set(.referencedFileID, .CS, string: reference.fileID.value)
            record.set(.referencedSOPClassUIDInFile, .UI, string: reference.sopClassUID)
            record.set(.referencedSOPInstanceUIDInFile, .UI, string: reference.sopInstanceUID)
            record.set(.referencedTransferSyntaxUIDInFile, .UI, string: reference.transferSyntaxUID)
        }
        for key in type.keys {
            if let text = overrides[key.tag], !text.isEmpty {
                record.set(key.tag, Dictionary.vr(of: key.tag) ?? .UN, string: text)
            } else if let element = Self.copied(key.tag, from: header) {
                record.set(element)
            } else {
                switch key.requirement {
                case .ifKnown: break
                case .presence: record.set(Self.empty(key.tag))
                case .value:
                    madeUp.append(key.keyword)
                    record.set(Self.madeUp(key.tag, header, number) ?? Self.empty(key.tag))
                }
            }
        }
        let characterSet = CharacterSet(header.strings(.specificCharacterSet))
        bytes = Self.item(record, characterSet)
        if bytes.count > Self.byteCountLimit {
            let optional = Set(type.keys.filter { $0.requirement != .value }.map(\.tag))
            record.removeAll { if case .items = $0.value { optional.contains($0.tag) } else { false } }
            bytes = Self.item(record, characterSet)
        }
    }

    private static func item(_ record: Dataset, _ characterSet: CharacterSet) -> [UInt8] {
        let body = record.encoded(
            transferSyntax: .explicitVRLittleEndian,
            characterSet: characterSet.definedTerms.isEmpty ? nil : characterSet)
        var bytes: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]
        for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: body.count >> (8 * index))) }
        return bytes + body
    }

    /// The object's element, if it has a value; for geometry that all frames share, from there.
    private static func copied(_ tag: Tag, from header: Dataset) -> Element? {
        if let element = header[tag], let whole = value(of: element) { return whole }
        guard sharedByFrames.contains(tag), let shared = header.items(.sharedFunctionalGroupsSequence).first else {
            return nil
        }
        for group in shared.elements {
            guard case .items(let items) = group.value, let item = items.first else { continue }
            if let element = item[tag], let whole = value(of: element) { return whole }
        }
        return nil
    }

    private static let sharedByFrames: Set<Tag> = [
        .imagePositionPatient, .imageOrientationPatient, .pixelSpacing, .referencedImageSequence,
    ]

    private static func value(of element: Element) -> Element? {
        switch element.value {
        case .bytes(let bytes): return bytes.isEmpty ? nil : element
        case .items(let items) where element.tag == .contentSequence:
            // Only what modifies the title. PS3.3 §F.5.25.
            let modifiers = items.filter { $0.string(.relationshipType) == "HAS CONCEPT MOD" }
            return modifiers.isEmpty ? nil : Element(element.tag, .SQ, .items(modifiers))
        case .items(let items): return items.isEmpty ? nil : Element(element.tag, .SQ, .items(items))
        case .bulk, .fragments: return nil
        }
    }

    private static func empty(_ tag: Tag) -> Element {
        let vr = Dictionary.vr(of: tag) ?? .UN
        return Element(tag, vr, vr == .SQ ? .items([]) : .bytes([]))
    }

    /// A value for a required attribute that the object lacks; nil where none can be invented.
    private static func madeUp(_ tag: Tag, _ header: Dataset, _ number: Int) -> Element? {
        let vr = Dictionary.vr(of: tag) ?? .UN
        func text(_ value: String) -> Element { Element(tag, vr, .bytes(Array(value.utf8))) }
        switch (tag, vr) {
        // Not a number alone, which could be another patient's identifier.
        case (.patientID, _): return text("UNKNOWN \(number)")
        case (.modality, _): return text("OT")
        case (.completionFlag, _): return text("PARTIAL")
        case (.verificationFlag, _): return text("UNVERIFIED")
        case (_, .DA):
            let dates: [Tag] = [.studyDate, .seriesDate, .acquisitionDate, .contentDate, .instanceCreationDate]
            return text(dates.lazy.compactMap { header.string($0) }.first { !$0.isEmpty } ?? "19000101")
        case (_, .TM):
            let times: [Tag] = [.studyTime, .seriesTime, .acquisitionTime, .contentTime, .instanceCreationTime]
            return text(times.lazy.compactMap { header.string($0) }.first { !$0.isEmpty } ?? "000000")
        case (_, .DT): return text("19000101")
        case (_, .IS), (_, .SH), (_, .LO): return text(String(number))
        case (_, .CS): return text("UNKNOWN")
        default: return nil
        }
    }
}

extension Tag {
    /// PS3.3 §F.3.2.
    static let offsetOfFirstRoot = Tag(0x0004_1200)
    static let offsetOfNextRecord = Tag(0x0004_1400)
    static let recordInUseFlag = Tag(0x0004_1410)
    static let offsetOfLowerLevel = Tag(0x0004_1420)
    static let privateRecordUID = Tag(0x0004_1432)
}
