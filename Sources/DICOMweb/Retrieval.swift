import Access
import Archive
import Audit
import Catalog
import DICOM
import HTTP
import Hummingbird
import NIOCore
import Release

/// Answers a retrieval of objects. PS3.18 §10.4.1.1.
struct Retrieval: Sendable {
    let archive: Archive
    let pool: BlockingPool
    var path: ResourcePath
    let caller: Caller
    private let verb: Verb
    let reach: Reach
    /// What of that is shown in full.
    let visibility: Visibility
    /// The most objects of one answer.
    let limit: Int
    /// How the answer is to be de-identified; nil where nobody asks for that.
    private(set) var asked: ReleaseRule?

    /// - Parameters:
    ///   - profile: by which the request asks for de-identification.
    ///   - profiles: that may be asked for.
    /// - Throws: when nothing at all may be reached by the verb; 400 for a profile that is none, 403 for one that may not be
    ///   asked for.
    init(
        archive: Archive, pool: BlockingPool, path: ResourcePath, caller: Caller, _ verb: Verb, limit: Int,
        asking profile: String?, of profiles: Set<String>
    ) throws {
        self.archive = archive
        self.pool = pool
        self.path = path
        self.caller = caller
        self.verb = verb
        self.limit = limit
        reach = try caller.reach(verb)
        visibility = Visibility(reach)
        asked = nil
        if let profile { asked = try rule(asking: profile, of: profiles) }
    }

    private func rule(asking profile: String, of profiles: Set<String>) throws -> ReleaseRule {
        guard Releases.profiles.contains(profile) else {
            throw Problem(
                .badRequest, "The parameter deidentify is one of \(Releases.profiles.joined(separator: ", ")).")
        }
        let project = caller.access.settings.maskedProject
        guard !project.isEmpty else {
            throw try refusal(
                "de-identification was asked for, and no project is set",
                "De-identification may not be asked for here: the operator sets access.masked-project, whose "
                    + "pseudonyms stand in what goes out, and web.deidentify-profiles.")
        }
        guard profiles.contains(profile) else {
            throw try refusal(
                "a profile was asked for that may not be",
                "The profile \(profile) may not be asked for here: the operator names those that may be in "
                    + "web.deidentify-profiles.")
        }
        return ReleaseRule(profile: profile, project: project)
    }

    /// What the path names, in the order of series and instance number; on the record when it returns.
    ///
    /// - Throws: 404 for nothing, 413 for more than the limit.
    func holdings() throws -> [Holding] {
        let found = try found()
        try note(found)
        return found
    }

    /// Writes down that the caller gets these.
    ///
    /// - Parameter rule: how they are de-identified for that.
    func note(_ holdings: [Holding], _ rule: ReleaseRule? = nil) throws {
        // Whatever way an answer is made, nothing goes out otherwise than it was asked for.
        guard asked == nil || rule == asked else {
            throw Problem(.notImplemented, "This is not to be had de-identified.")
        }
        try caller.note(
            .accessed, AuditObject.objects(of: holdings), instanceCount: holdings.count, reason: rule?.words ?? "")
    }

    /// As `holdings`, for who has not decided yet what goes out.
    func found() throws -> [Holding] {
        let found = try inFull(limit: limit + 1)
        guard !found.isEmpty else { throw try absence() }
        try checkLimit(found)
        return found
    }

    /// Whether all that is shown of what the path names was granted masked; asks nothing for whom nothing was.
    func isGrantedOnly() throws(ArchiveError) -> Bool {
        guard case .limited(_, let masked) = reach, !masked.isEmpty else { return false }
        return try inFull(limit: 1).isEmpty
    }

    /// What the path names and is shown in full.
    ///
    /// - Parameter limit: the most objects that are looked for.
    func inFull(limit: Int) throws(ArchiveError) -> [Holding] {
        try archive.holdings(at: path, visibility: visibility, limit: limit)
    }

    /// What the path names and is shown masked, for who is shown nothing of it in full.
    ///
    /// - Parameter limit: the most objects that are looked for.
    func masked(limit: Int) throws(ArchiveError) -> (masking: Masking, holdings: [Holding])? {
        try archive.masked(
            patientID: nil, studyInstanceUIDs: path.study.map { [$0] } ?? [],
            seriesInstanceUIDs: path.series.map { [$0] } ?? [],
            sopInstanceUIDs: path.instance.map { [$0] } ?? [], reach: reach, limit: limit)
    }

    func checkLimit(_ found: [Holding]) throws(Problem) {
        guard found.count <= limit else {
            throw Problem(.contentTooLarge, "There are more than \(limit) objects: ask for one series after another.")
        }
    }

    /// Why nothing that the path names is shown: it is not there, or only masked.
    func absence() throws -> any Error {
        // By its own UID it is there only for whom a grant has named it.
        let isMasked = try path.study.map { try reach.namesMasked(study: $0) && masked(limit: 1) != nil } ?? false
        if isMasked { return try caller.refusal(verb, Archive.maskedRule, named) }
        // The same whether it is not there or another's: who asks learns nothing, and the record knows who asked.
        if reach != .everything { _ = try caller.refusal(verb, "nothing of what was named is reached", named) }
        return ArchiveError.notFound
    }

    /// Records that what is asked for is not given so, and gives the problem that says why.
    func refusal(_ because: String, _ words: String) throws(Denial) -> Problem {
        _ = try caller.refusal(verb, because, named)
        return Problem(.forbidden, words)
    }

    /// What the path names, for the record.
    private var named: [AuditObject] {
        path.study.map { [AuditObject(.study, $0)] } ?? path.instance.map { [AuditObject(.instance, $0)] } ?? []
    }

    /// The one instance that the path names, as it is shown; on the record when it returns. Blocks.
    ///
    /// - Throws: as `released`; 404 for nothing.
    func instance(_ releases: Releases) throws -> ShownInstance {
        if let released = try released(releases) {
            try note(Array(released.holdings.prefix(1)), released.rule)
            return try released.first()
        }
        guard let first = try holdings().first else { throw ArchiveError.notFound }
        return ShownInstance(
            content: try InstanceContent(try archive.open(first)), holding: first, path: path, isMade: false)
    }

    /// The objects; blocks.
    ///
    /// - Throws: as `released`; 406 with what can be had.
    func response(accepting ranges: [MediaRange], releases: Releases) throws -> Response {
        let choices = ObjectChoices(accepting: ranges)
        guard !choices.all.isEmpty else { throw ObjectChoices.refusal(isOne: path.instance != nil) }
        if let released = try released(releases) { return try response(released, choices) }
        let holdings = try holdings()
        for attempt in choices.attempts(for: holdings) {
            guard let form = attempt.all.first?.form else { continue }
            if form == .zip { return try ZipAnswer.response(self, holdings) }
            let (kept, isPartial) = try split(holdings, attempt)
            guard let first = kept.first else { continue }
            return try form == .file ? file(first, attempt) : parts(kept, attempt, isPartial: isPartial)
        }
        throw ObjectChoices.refusal(try syntaxes(of: holdings), isOne: holdings.count == 1)
    }

    /// Which of the objects can be had so, found before the answer begins; those destroyed meanwhile are none of them.
    private func split(
        _ holdings: [Holding], _ choices: ObjectChoices
    ) throws(ArchiveError) -> (kept: [Holding], isPartial: Bool) {
        var kept: [Holding] = []
        var isPartial = false
        for holding in holdings {
            do throws(ArchiveError) {
                _ = try choices.syntax(for: holding, in: archive)
                kept.append(holding)
            } catch .notTranscodable { isPartial = true } catch .notFound {}
        }
        return (kept, isPartial)
    }

    /// Kinds of objects of which one is looked at for a refusal.
    private static let kindLimit = 16

    /// UIDs of the transfer syntaxes in which some of the objects can be had: those of one of each stored syntax.
    private func syntaxes(of holdings: [Holding]) throws(ArchiveError) -> [String] {
        var (kinds, found): (Set<String>, [String]) = ([], ["*"])
        for holding in holdings where kinds.count < Self.kindLimit {
            guard kinds.insert(holding.transferSyntaxUID).inserted else { continue }
            do throws(ArchiveError) {
                for syntax in try InstanceContent(try archive.open(holding)).transferSyntaxes()
                where !found.contains(syntax.uid) {
                    found.append(syntax.uid)
                }
            } catch .notFound {}
        }
        return found
    }

    /// - Parameter isPartial: whether others can not be had so. PS3.18 §10.4.3.
    private func parts(_ holdings: [Holding], _ choices: ObjectChoices, isPartial: Bool) throws -> Response {
        let boundary = Boundary()
        let parts = ObjectParts(archive: archive, holdings: holdings, choices: choices, boundary: boundary)
        try parts.begin()
        return Response(
            status: isPartial ? .partialContent : .ok,
            headers: [
                .contentType: boundary.contentType(of: "application/dicom"), .cacheControl: "private, no-cache",
            ], body: PulledBody(parts, pool: pool).body())
    }

    private func file(_ holding: Holding, _ choices: ObjectChoices) throws -> Response {
        let syntax = try choices.syntax(for: holding, in: archive)
        let headers: HTTPFields = [
            .contentType: "application/dicom; transfer-syntax=\(syntax.uid)", .cacheControl: "private, no-cache",
            .eTag: archive.tag([holding], form: syntax.uid),
        ]
        let head = holding.fileHead(archive: archive, syntax: syntax)
        let object = try archive.open(holding)
        if syntax.uid == holding.transferSyntaxUID, try !archive.isCorrected(object) {
            return Response(
                status: .ok, headers: headers,
                body: PulledBody(ObjectFile(object, head: head), pool: pool)
                    .body(contentLength: head.count + Int(object.byteCount)))
        }
        let rewritten = MadePieces(try RewrittenObject(object, in: syntax, archive: archive), head: head)
        return Response(status: .ok, headers: headers, body: PulledBody(rewritten, pool: pool).body())
    }
}

extension Archive {
    /// What a path names and is visible.
    func holdings(
        at path: ResourcePath, visibility: Visibility, limit: Int
    ) throws(ArchiveError) -> [Holding] {
        try holdings(
            patientID: nil, studyInstanceUIDs: path.study.map { [$0] } ?? [],
            seriesInstanceUIDs: path.series.map { [$0] } ?? [],
            sopInstanceUIDs: path.instance.map { [$0] } ?? [], visibility: visibility, limit: limit)
    }
}
