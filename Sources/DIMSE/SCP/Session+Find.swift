import Archive
import Catalog
import DICOM
import Toolkit

extension Session {
    /// Bytes of encoded responses that one C-FIND may gather before they go out.
    static let gatheredByteCountLimit = 64 << 20

    /// C-FIND, PS3.4 §C.4.1. Matches are gathered first, so that a slow reader holds no snapshot of the catalogue.
    func find(
        _ command: Command, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        let keys = try stream.readIdentifier(contextID: context.id, transferSyntax: transferSyntax)
        guard let level = Self.level(keys, model: context.abstractSyntax) else {
            return try finish(command, .dataSetDoesNotMatchSOPClass, "no such query level", context)
        }
        let answer = FindAnswer(
            keys: keys, level: level, aeTitle: shared.access.settings.aeTitle, transferSyntax: transferSyntax)
        var responses: [[UInt8]] = []
        var byteCount = 0
        var isCut = false
        do throws(ArchiveError) {
            let limit = shared.settings.findLimit
            let query = Query(level: level, keys: keys, visibility: visibility, limit: limit + 1)
            try archive.find(query) { match in
                guard responses.count < limit, byteCount < Self.gatheredByteCountLimit else {
                    isCut = true
                    return false
                }
                let bytes = answer.identifier(match)
                byteCount += bytes.count
                responses.append(bytes)
                return true
            }
        } catch {
            let (status, comment) = StatusMapping.status(of: error)
            return try finish(command, status, comment, context)
        }
        let pending = Command(answering: command, status: .pending, hasDataSet: true)
        for response in responses {
            if try stream.isCancelled(messageID: command.messageID) {
                return try finish(command, .cancelled, nil, context)
            }
            try stream.send(pending, dataSet: response, contextID: context.id)
        }
        return isCut
            ? try finish(command, .outOfResources, "more matches than the limit", context)
            : try finish(command, .success, nil, context)
    }

    /// The last response of an operation.
    func finish(
        _ command: Command, _ status: Status, _ comment: String?, _ context: PresentationContext
    ) throws(DIMSEError) -> Status {
        var response = Command(answering: command, status: status)
        if let comment { response.setErrorComment(comment) }
        try stream.send(response, contextID: context.id)
        return status
    }

    /// (0008,0052), if the model has that level. PS3.4 §C.6.1.1 and §C.6.2.1.
    static func level(_ keys: Dataset, model: String) -> QueryLevel? {
        guard let level = QueryLevel(keys.string(.queryRetrieveLevel) ?? "") else { return nil }
        let isStudyRoot = [SOPClass.studyRootFind, SOPClass.studyRootMove, SOPClass.studyRootGet].contains(model)
        return isStudyRoot && level == .patient ? nil : level
    }
}

/// Makes the identifiers of C-FIND responses.
struct FindAnswer {
    let keys: Dataset
    let level: QueryLevel
    let aeTitle: String
    let transferSyntax: TransferSyntax
    private let characterSet: CharacterSet?

    init(keys: Dataset, level: QueryLevel, aeTitle: String, transferSyntax: TransferSyntax) {
        self.keys = keys
        self.level = level
        self.aeTitle = aeTitle
        self.transferSyntax = transferSyntax
        let named = keys.strings(.specificCharacterSet).filter { !$0.isEmpty }
        characterSet = named.isEmpty ? nil : CharacterSet(named)
    }

    /// Every key that was asked for, with its value or empty, and what PS3.4 §C.4.1.1.3.2 adds.
    func identifier(_ match: Match) -> [UInt8] {
        var result = Dataset()
        for key in keys.elements where !key.tag.isGroupLength && key.tag != .specificCharacterSet {
            switch key.tag {
            case .queryRetrieveLevel, .retrieveAETitle, .instanceAvailability: continue
            default: break
            }
            if let held = match.attributes[key.tag] {
                result.set(Self.selected(held, by: key))
            } else {
                let vr = key.vr == .UN ? Dictionary.vr(of: key.tag) ?? .UN : key.vr
                if vr == .SQ { result.set(key.tag, .SQ, items: []) } else { result.set(key.tag, vr, bytes: []) }
            }
        }
        result.set(.queryRetrieveLevel, .CS, strings: [level.name])
        result.set(.retrieveAETitle, .AE, strings: [aeTitle])
        result.set(.instanceAvailability, .CS, strings: ["ONLINE"])
        return result.encoded(transferSyntax: transferSyntax, characterSet: characterSet)
    }

    /// A sequence shows only what its key's item asks for. PS3.4 §C.2.2.2.6.
    private static func selected(_ held: Element, by key: Element) -> Element {
        guard case .items(let items) = held.value, case .items(let asked) = key.value, let asked = asked.first,
            !asked.elements.isEmpty
        else { return held }
        var result = held
        result.value = .items(
            items.map { item in
                var chosen = Dataset()
                for inner in asked.elements {
                    if let element = item[inner.tag] { chosen.set(selected(element, by: inner)) }
                }
                return chosen
            })
        return result
    }
}
