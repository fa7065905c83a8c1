import Access
import Archive
import Audit
import Catalog
import DICOM
import Foundation
import Release
import Toolkit

extension Session {
    /// Responses that are sent before the next look for a C-CANCEL, which is a system call.
    private static let responsesBetweenLooks = 16
    /// Milliseconds without a response after which it is looked for one, and whether the other side is there.
    private static let silenceBeforeLook = 100

    /// C-FIND, PS3.4 §C.4.1. Matches are found on a thread beside, so that the first goes out while others are looked
    /// for, and a slow reader holds no snapshot of the catalogue.
    func find(
        _ command: Command, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        let keys = try stream.readIdentifier(contextID: context.id, transferSyntax: transferSyntax)
        guard let level = Self.level(keys, model: context.abstractSyntax) else {
            return try finish(command, .unknownLevel, context)
        }
        let reached: Reach
        do throws(Denial) {
            reached = try reach(.search)
            let query = AuditObject(.query, "\(level.name) \(keys.summary)")
            try shared.access.record([
                AuditEntry(.searched, by: permit.actor, door: Self.door, objects: [query])
            ])
        } catch { return try deny(error, command, context) }
        let answer = FindAnswer(
            keys: keys, level: level, aeTitle: shared.access.settings.aeTitle, transferSyntax: transferSyntax,
            keeping: archive.privateAttributes)
        let gathered = GatheredResponses()
        var options = MatchingOptions()
        options.combinesDateTime = context.queryExtensions.contains(.combinedDateTime)
        options.isFuzzy = context.queryExtensions.contains(.fuzzyNames)
        let search = Gathering(
            ReachedSearch(
                archive,
                masked: ReleasedStudies(archive, reach: reached, releases: shared.releases, access: shared.access)),
            answer: answer, into: gathered, limit: shared.settings.findLimit,
            query: Query(
                level: level, keys: keys, visibility: Visibility(reached), limit: shared.settings.findLimit + 1,
                options: options))
        search.start()
        defer { gathered.abandon() }
        let pending = Command(
            answering: command, answer.hasUnsupportedKeys ? .pendingWithUnsupportedKeys : .pending, hasDataSet: true
        ).encoded()
        while true {
            guard let responses = gathered.take(milliseconds: Self.silenceBeforeLook) else {
                if try stream.isCancelled(messageID: command.messageID) {
                    return try finish(command, .cancelled, context)
                }
                continue
            }
            if responses.isEmpty { break }
            for (index, response) in responses.enumerated() {
                if index % Self.responsesBetweenLooks == 0, try stream.isCancelled(messageID: command.messageID) {
                    return try finish(command, .cancelled, context)
                }
                try stream.send(pending, dataSet: response, contextID: context.id)
            }
            try stream.flush()
        }
        switch search.result {
        case .failure(let error):
            return try finish(command, StatusMapping.answer(toQuestion: error), context)
        case .success(let isCut): return try finish(command, isCut ? .tooManyMatches : .success, context)
        }
    }

    /// The last response of an operation.
    func finish(
        _ command: Command, _ answer: ServiceAnswer, _ context: PresentationContext
    ) throws(DIMSEError) -> Status {
        try stream.send(Command(answering: command, answer), contextID: context.id)
        return answer.status
    }

    /// (0008,0052), if the model has that level. PS3.4 §C.6.1.1 and §C.6.2.1.
    static func level(_ keys: Dataset, model: String) -> QueryLevel? {
        guard let level = QueryLevel(keys.string(.queryRetrieveLevel) ?? "") else { return nil }
        let isStudyRoot = [SOPClass.studyRootFind, SOPClass.studyRootMove, SOPClass.studyRootGet].contains(model)
        return isStudyRoot && level == .patient ? nil : level
    }
}

/// One search on a thread of its own.
private final class Gathering: @unchecked Sendable {
    // `result` is written before `gathered.finish()` and read after `take()` came back empty.

    /// Bytes of encoded responses that one C-FIND may gather.
    static let byteCountLimit = 64 << 20

    private let search: ReachedSearch
    private let answer: FindAnswer
    private let gathered: GatheredResponses
    private let limit: Int
    private let query: Query
    /// Whether there were more matches than the limits allow.
    private(set) var result: Result<Bool, any Error> = .success(false)

    init(
        _ search: ReachedSearch, answer: FindAnswer, into gathered: GatheredResponses, limit: Int, query: Query
    ) {
        self.search = search
        self.answer = answer
        self.gathered = gathered
        self.limit = limit
        self.query = query
    }

    func start() {
        let thread = Thread { [self] in
            run()
            gathered.finish()
        }
        thread.name = "find"
        thread.stackSize = 1 << 20
        thread.start()
    }

    private func run() {
        var count = 0
        var byteCount = 0
        do {
            let isUnfinished = try search.find(query, while: { [gathered] in gathered.isWanted }) { match in
                guard count < limit, byteCount < Self.byteCountLimit else {
                    result = .success(true)
                    return false
                }
                let bytes = answer.identifier(match)
                count += 1
                byteCount += bytes.count
                return gathered.put(bytes)
            }
            if isUnfinished { result = .success(true) }
        } catch { result = .failure(error) }
    }
}
