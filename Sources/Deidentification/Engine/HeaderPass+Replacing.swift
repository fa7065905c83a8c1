import DICOM
import Keys

/// Values that go: emptied, replaced, mapped.
extension HeaderPass {
    func failing<Result>(_ body: () throws(KeyError) -> Result) throws(Quarantine) -> Result {
        do throws(KeyError) { return try body() } catch { throw .failed(operation: "keyed hash") }
    }

    // MARK: Emptied

    func emptied(_ element: Element, _ ruling: Ruling) throws(Quarantine) -> Element? {
        if ruling.rule != .siteRule, let pseudonym = try pseudonym(element) {
            note(element, ruling.rule, .dummy)
            return pseudonym
        }
        note(element, ruling.rule, .empty)
        return Element(element.tag, element.vr, element.vr == .SQ ? .items([]) : .bytes([]))
    }

    /// The pseudonym of what is to stay linked: the patient and the request; nil for everything else.
    private func pseudonym(_ element: Element) throws(Quarantine) -> Element? {
        switch element.tag {
        case .patientID, .patientName:
            let text = try failing { () throws(KeyError) in try pseudonyms.patient(identity) }
            return Element(element.tag, element.vr, .bytes(Array(text.utf8)))
        case .accessionNumber: return try identifier(element)
        default: return nil
        }
    }

    // MARK: Replaced

    func replaced(_ element: Element, _ ruling: Ruling) throws(Quarantine) -> Element? {
        note(element, ruling.rule, .dummy)
        if let pseudonym = try pseudonym(element) { return pseudonym }
        if case .items(let items) = element.value { return try replacedItems(element, items) }
        switch element.vr {
        case .PN:
            guard case .bytes(let bytes) = element.value else { return nil }
            let text = try failing { () throws(KeyError) in
                try pseudonyms.person(String(decoding: bytes, as: UTF8.self))
            }
            return Element(element.tag, .PN, .bytes(Array(text.utf8)))
        case .UI: return try mapped(element, ruling)
        default: break
        }
        if Self.isIdentifier(element.tag) { return try identifier(element) }
        if element.tag == .encapsulatedDocument {
            guard let document = Placeholder.document(mimeType: mimeType) else { throw .document }
            return Element(element.tag, .OB, .bytes(document))
        }
        return Element(element.tag, element.vr, .bytes(DummyValue.bytes(element.vr)))
    }

    /// Identifiers that tell things apart, so that different ones must stay different.
    private static func isIdentifier(_ tag: Tag) -> Bool {
        switch tag.rawValue {
        case 0x0012_0020, 0x0012_0040, 0x0012_0042, 0x0040_0512, 0x0040_0551, 0x0018_1000, 0x0018_700A, 0x0018_9367,
            0x0018_9371, 0x0040_E001, 0x3008_0105, 0x0008_1010:
            true
        default: false
        }
    }

    private func identifier(_ element: Element) throws(Quarantine) -> Element {
        guard case .bytes(let bytes) = element.value else { return element }
        let limit = ValueCheck.characterLimit(element.vr) ?? 64
        let text = try failing { () throws(KeyError) in
            try pseudonyms.identifier(
                String(decoding: bytes, as: UTF8.self), kind: element.tag, characterCount: limit)
        }
        return Element(element.tag, element.vr, .bytes(Array(text.utf8)))
    }

    // MARK: Sequences that must have an item

    private func replacedItems(_ element: Element, _ items: [Dataset]) throws(Quarantine) -> Element? {
        let item: Dataset
        switch element.tag {
        case .contentSequence: item = DummyValue.contentItem
        default:
            guard let first = items.first else { return element }
            item = try dummy(first, in: element.tag)
        }
        return Element(element.tag, .SQ, .items([item]))
    }

    /// An item with the attributes of another and none of their values.
    func dummy(_ source: Dataset, in parent: Tag) throws(Quarantine) -> Dataset {
        if source.contains(.codeMeaning), source.contains(.codingSchemeDesignator) { return DummyValue.code }
        var result = Dataset()
        for element in source.elements where !element.tag.isPrivate && !element.tag.isGroupLength {
            let ruling = plan.ruling(element.tag, in: parent)
            guard ruling.action != .remove, let element = ofItsVR(element) else { continue }
            // What is empty says nothing, and may have to be there.
            if element.isEmpty {
                result.set(element)
                continue
            }
            if case .items(let items) = element.value {
                guard let first = items.first else { continue }
                result.set(element.tag, items: [try dummy(first, in: element.tag)])
                continue
            }
            if let value = try dummyValue(element, ruling) { result.set(value) }
        }
        // As many points as there are numbers for, each of two: a graphic without any would be none. PS3.3 §C.10.5.
        let (dimensions, pointCount, points) = (Tag(0x0070_0020), Tag(0x0070_0021), Tag(0x0070_0022))
        if let bytes = result.bytes(points), result.contains(dimensions) {
            result.set(dimensions, .US, ints: [2])
            result.set(pointCount, .US, ints: [bytes.count / 8])
        }
        return result
    }

    private func dummyValue(_ element: Element, _ ruling: Ruling) throws(Quarantine) -> Element? {
        guard case .bytes(let bytes) = element.value else { return nil }
        switch element.vr {
        case .UI:
            return ruling.action == .keep ? try keptClass(element, bytes, ruling) : try mapped(element, ruling)
        case .PN:
            let text = try failing { () throws(KeyError) in
                try pseudonyms.person(String(decoding: bytes, as: UTF8.self))
            }
            return Element(element.tag, .PN, .bytes(Array(text.utf8)))
        case .CS:
            let isWord = DummyValue.words.contains(String(decoding: Self.trimmed(bytes[...]), as: UTF8.self))
            return isWord ? element : Element(element.tag, .CS, .bytes(DummyValue.bytes(.CS)))
        case .FL, .FD, .US, .SS, .UL, .SL, .SV, .UV, .AT, .OF, .OD, .OL, .OV:
            return Element(element.tag, element.vr, .bytes([UInt8](repeating: 0, count: bytes.count)))
        case .DS, .IS:
            let count = bytes.count { $0 == 0x5C }
            let text = Array(repeating: "0", count: count + 1).joined(separator: "\\")
            return Element(element.tag, element.vr, .bytes(Array(text.utf8)))
        default: return Element(element.tag, element.vr, .bytes(DummyValue.bytes(element.vr)))
        }
    }

    private func keptClass(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) throws(Quarantine) -> Element? {
        WellKnownUIDs.contains(String(decoding: Self.trimmed(bytes[...]), as: UTF8.self))
            ? element : try mapped(element, ruling)
    }

    // MARK: UIDs

    /// Every UID that the standard does not register becomes the project's. PS3.15 §E.1.1.
    func mapped(_ element: Element, _ ruling: Ruling) throws(Quarantine) -> Element? {
        if case .items(let items) = element.value {
            var result: [Dataset] = []
            for (index, item) in items.enumerated() {
                path.append((element.tag, index + 1))
                defer { path.removeLast() }
                result.append(try dataset(item, in: element.tag))
            }
            return Element(element.tag, .SQ, .items(result))
        }
        guard case .bytes(let bytes) = element.value else { return nil }
        var values: [String] = []
        var isMapped = false
        for value in bytes.split(separator: 0x5C, omittingEmptySubsequences: false) {
            let uid = String(decoding: Self.trimmed(value), as: UTF8.self)
            if uid.isEmpty || WellKnownUIDs.contains(uid) {
                values.append(uid)
                continue
            }
            isMapped = true
            values.append(try failing { () throws(KeyError) in try pseudonyms.uid(uid) })
        }
        if !isMapped { return element }
        note(element, ruling.rule, .uid)
        return Element(element.tag, element.vr, .bytes(Array(values.joined(separator: "\\").utf8)))
    }
}
