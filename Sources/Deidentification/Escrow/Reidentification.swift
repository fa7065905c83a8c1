import DICOM

/// What a key holder finds in a de-identified object.
public struct Reidentification: Sendable {
    /// The original values, text in the character set of the object.
    public let originals: Dataset
    /// Attributes that de-identification added, and that the original did not have.
    public let added: Set<Tag>

    /// Envelopes of one object that are tried.
    private static let envelopeLimit = 64
    /// What de-identification says of itself. PS3.15 §E.1.1.
    private static let declared: [Tag] = [
        Tag(0x0012_0062), Tag(0x0012_0063), Tag(0x0012_0064), Tag(0x0028_0303), Tag(0x0400_0500),
    ]

    /// Opens what is sealed in an object.
    ///
    /// - Parameter header: the object's attributes, Encrypted Attributes Sequence (0400,0500) among them.
    /// - Throws: `.notSealed`, `.refused` when no envelope opens, `.malformed`.
    public init(of header: Dataset, with key: HolderKey) throws(EscrowError) {
        let items = header.items(Tag(0x0400_0500)).prefix(Self.envelopeLimit)
        guard !items.isEmpty else { throw .notSealed }
        for item in items {
            guard let envelope = item.bytes(Tag(0x0400_0520)) else { throw .malformed }
            let bytes: [UInt8]
            do throws(EscrowError) {
                bytes = try EnvelopedData.opened(envelope, with: key, cipher: .standard)
            } catch {
                if error == .refused { continue }
                throw error
            }
            let uid = item.string(Tag(0x0400_0510)) ?? TransferSyntax.explicitVRLittleEndian.uid
            originals = try Self.coded(try Self.originals(bytes, TransferSyntax(uid: uid)), as: header)
            let held = originals
            added = Set(Self.declared.filter { !held.contains($0) })
            return
        }
        throw .refused
    }

    private static func originals(_ bytes: [UInt8], _ syntax: TransferSyntax) throws(EscrowError) -> Dataset {
        guard TransferSyntax.isKnown(uid: syntax.uid), !syntax.isEncapsulated else { throw .malformed }
        var limits = ScanLimits()
        limits.headerByteCount = EnvelopedData.byteCountLimit
        let sealed: Dataset
        do throws(ParseError) {
            sealed = try Dataset.parse(bytes, transferSyntax: syntax, limits: limits)
        } catch { throw .malformed }
        guard let item = sealed.items(Tag(0x0400_0550)).first else { throw .malformed }
        return Dataset(item.elements.filter { !$0.tag.isGroupLength && $0.tag.group > 2 })
    }

    /// Text in the character set of the object, where that is another one than ours.
    private static func coded(_ originals: Dataset, as header: Dataset) throws(EscrowError) -> Dataset {
        let terms = header.strings(.specificCharacterSet)
        var result = originals
        result.remove(.specificCharacterSet)
        if terms == ["ISO_IR 192"] { return result }
        let set = CharacterSet(terms)
        var coded: [Element] = []
        for element in result.elements { coded.append(try element.coded(set)) }
        return Dataset(coded)
    }
}

extension Element {
    fileprivate func coded(_ set: CharacterSet) throws(EscrowError) -> Element {
        switch value {
        case .bytes(let bytes):
            guard vr.isText, bytes.contains(where: { $0 >= 0x80 }) else { return self }
            guard let coded = set.encode(String(decoding: bytes, as: UTF8.self), vr: vr) else { throw .malformed }
            return Element(tag, vr, .bytes(coded))
        case .items(let items):
            var coded: [Dataset] = []
            for item in items {
                var elements: [Element] = []
                for element in item.elements where element.tag != .specificCharacterSet {
                    elements.append(try element.coded(set))
                }
                coded.append(Dataset(elements))
            }
            return Element(tag, vr, .items(coded))
        case .bulk, .fragments: return self
        }
    }
}
