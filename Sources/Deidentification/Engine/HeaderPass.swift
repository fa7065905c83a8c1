import DICOM
import Keys

/// Makes a header anew, element by element, at every level of nesting: only what was looked at is in the result.
///
/// Used for one instance by one thread. Recursive, for a dataset in memory is no deeper than the limit of the scan.
final class HeaderPass {
    let plan: Plan
    let profile: Profile
    let pseudonyms: Pseudonyms
    let identity: PatientIdentity
    let shift: DayShift?
    let cleaner: TextCleaner
    /// The source's own UIDs, which are found in texts however short they are.
    let ownUIDs: Set<String>
    /// Words of the source that name somebody.
    let words: KnownWords
    private(set) var report = InstanceReport()
    /// Reported actions are not told one by one where nobody asks.
    let isReporting: Bool

    /// Tags and numbers of the items around what is looked at.
    var path: [(tag: Tag, item: Int)] = []
    /// Of the dataset or item that is looked at.
    var characterSet = CharacterSet.undeclared
    /// Whether the item that is looked at is a code of a scheme that many use.
    private(set) var isStandardCode = false
    /// Whether content items refer to each other by their place, so that none may be left out.
    var keepsContentPlaces = false
    /// What the object's documents are. (0042,0012)
    private(set) var mimeType = ""
    /// Whether the object lists the instances that it refers to.
    private let hasReferencedSeries: Bool

    init(_ source: Dataset, plan: Plan, pseudonyms: Pseudonyms, isReporting: Bool) throws(KeyError) {
        self.plan = plan
        self.pseudonyms = pseudonyms
        self.isReporting = isReporting
        profile = plan.profile
        identity = PatientIdentity(source)
        var dates: (any DateMapping)?
        if profile.has(.retainModifiedDates) {
            let shift = DayShift(dayCount: try pseudonyms.dayOffset(identity))
            self.shift = shift
            dates = shift
        } else {
            shift = nil
            if profile.has(.retainFullDates) { dates = DayShift(dayCount: 0) }
        }
        var survey = IdentitySurvey(
            removesInstitutions: !profile.has(.retainInstitutionIdentity),
            isUndeclared: source.strings(.specificCharacterSet).allSatisfy(\.isEmpty))
        survey.read(source)
        cleaner = TextCleaner(known: survey.identities, dates: dates)
        ownUIDs = survey.uids
        words = survey.words
        keepsContentPlaces = survey.hasReferences
        mimeType = source.string(.mimeTypeOfEncapsulatedDocument) ?? ""
        hasReferencedSeries = source.contains(.referencedSeriesSequence)
    }

    // MARK: Datasets

    /// The elements that stay, of a dataset or an item.
    ///
    /// - Parameter parent: the sequence around an item; nil at top level.
    func dataset(_ source: Dataset, in parent: Tag?) throws(Quarantine) -> Dataset {
        let (outer, outerCode) = (characterSet, isStandardCode)
        defer { (characterSet, isStandardCode) = (outer, outerCode) }
        isStandardCode = KnownWords.isStandard(scheme: source.string(.codingSchemeDesignator))
        if source.contains(.specificCharacterSet) {
            characterSet = CharacterSet(source.strings(.specificCharacterSet))
        }
        var kept: [Element] = []
        kept.reserveCapacity(source.count)
        var privates = PrivateBlocks(source)
        for element in source.elements {
            if let result = try self.element(element, in: parent, &privates) {
                kept.append(withoutSurplus(result, in: source))
            }
        }
        return Dataset(privates.withCreators(kept))
    }

    private func element(
        _ element: Element, in parent: Tag?, _ privates: inout PrivateBlocks
    ) throws(Quarantine) -> Element? {
        let tag = element.tag
        // Text becomes UTF-8, which is said once for all.
        if tag.isGroupLength || tag == .specificCharacterSet { return nil }
        if tag.isPrivate { return try privateElement(element, &privates) }
        switch tag.group {
        case 0x0000...0x0007, 0x5000...0x50FF, 0x6000...0x60FF, 0xFFFA...0xFFFF:
            note(element, .beside, .remove)
            return nil
        default: break
        }
        var ruling = plan.ruling(tag, in: parent)
        if ruling.action == .remove, hasReferencedSeries, tag == .sourceImageSequence || tag == .referencedImageSequence
        {
            // What is listed there must be referenced somewhere. PS3.3 §C.12.2.
            ruling.action = .clean
        }
        if ruling.action == .remove {
            note(element, ruling.rule, .remove)
            return nil
        }
        guard let readable = ofItsVR(element) else {
            note(element, .notOfItsVR, .remove)
            return nil
        }
        return try apply(ruling, to: readable)
    }

    /// Does with an element what the plan says.
    func apply(_ ruling: Ruling, to element: Element) throws(Quarantine) -> Element? {
        // What is empty says nothing, and need not be told.
        if element.isEmpty { return element }
        switch ruling.action {
        case .remove:
            note(element, ruling.rule, .remove)
            return nil
        case .empty: return try emptied(element, ruling)
        case .dummy: return try replaced(element, ruling)
        case .uid: return try mapped(element, ruling)
        case .keep, .clean, .shift: return try kept(element, ruling)
        }
    }

    // MARK: Report

    func note(_ element: Element, _ rule: Rule, _ action: Action) {
        guard isReporting, !(element.isEmpty && action == .remove) else { return }
        report.note(entry(element, rule, action), rule: rule)
    }

    private func entry(_ element: Element, _ rule: Rule, _ action: Action) -> InstanceReport.Entry {
        var text = ""
        for step in path { text += "\(step.tag)[\(step.item)]." }
        text += element.tag.description
        guard case .bytes(let bytes) = element.value else {
            return InstanceReport.Entry(path: text, rule: rule, action: action.word, byteCount: 0, digest: nil)
        }
        return InstanceReport.Entry(
            path: text, rule: rule, action: action.word, byteCount: bytes.count,
            digest: try? pseudonyms.digest(bytes, of: element.tag))
    }

    /// - Parameters:
    ///   - byteCount: bytes that changed.
    ///   - count: rectangles, words or frames.
    func note(pixels byteCount: Int, _ rule: Rule, count: Int = 1) {
        guard isReporting, byteCount > 0, count > 0 else { return }
        let entry = InstanceReport.Entry(
            path: Tag.pixelData.description, rule: rule, action: rule == .recoded ? "recoded" : Action.clean.word,
            byteCount: byteCount, digest: nil, count: count)
        report.note(entry, rule: rule, count: count)
    }
}

extension Element {
    var isEmpty: Bool {
        switch value {
        case .bytes(let bytes): bytes.isEmpty
        case .items(let items): items.isEmpty
        case .bulk, .fragments: false
        }
    }
}
