import Access
import Archive
import Catalog
import DICOM
import HTTP
import HTTPTypes
import Release

/// What a path names and goes out de-identified, because it was granted masked or is asked for so, and how. Nothing of the
/// originals is given by it.
struct ReleasedHoldings: Sendable {
    let archive: Archive
    let rule: ReleaseRule
    let holdings: [Holding]
    /// The query of every address in an answer, with its question mark: without it what is asked for so is not there.
    let addressQuery: String
    private let release: Release
    /// The study's UID in addresses: as a grant named it, else the one it has now.
    private let study: String
    /// By the UIDs of the originals.
    private let path: ResourcePath
    private let visibility: Visibility
    private let limit: Int

    /// De-identifies one of them; blocks.
    func released(_ holding: Holding, through buffer: PieceBuffer) throws -> ReleasedInstance {
        try release.released(try archive.open(holding), through: buffer)
    }

    /// The same for who reads header, frames or values.
    func content(
        _ holding: Holding, through buffer: PieceBuffer = PieceBuffer()
    ) throws -> (content: InstanceContent, metadata: MetadataText, sopInstanceUID: String) {
        try release.content(try archive.open(holding), through: buffer)
    }

    /// Where an answer says that one of them is: by no UID of the originals but the study's, if a grant has named that.
    ///
    /// - Parameter series: Series Instance UID of the original, where the path has one.
    func shownPath(of holding: Holding, series: String?) throws -> ResourcePath {
        ResourcePath(
            study: study, series: try series.map { try release.uid(for: $0) },
            instance: try release.uid(for: holding.sopInstanceUID))
    }

    /// Where bulk data of the study are, under the service's root.
    var studyPath: ResourcePath { ResourcePath(study: study) }

    /// The first of them, made.
    func first() throws -> ShownInstance {
        guard let holding = holdings.first else { throw ArchiveError.notFound }
        return ShownInstance(
            content: try content(holding).content, holding: holding,
            path: try shownPath(of: holding, series: path.series), isMade: true)
    }

    /// The images that stand for it; each is made when it is opened.
    var images: RepresentativeImage {
        RepresentativeImage(archive: archive, path: path, visibility: visibility) { path in
            try archive.holdings(at: path, visibility: visibility, limit: limit)
        } absence: {
            ArchiveError.notFound
        } source: { holding, original in
            PictureAnswer.Source(
                holding: holding, path: try shownPath(of: holding, series: original.series), isMade: true
            ) { try content(holding).content }
        }
    }
}

extension ReleasedHoldings {
    /// What was granted masked, for who is shown nothing of it in full; nil where there is nothing.
    ///
    /// It is named by the UIDs it is released with, or by its own where a grant names its study.
    ///
    /// - Throws: 413 for more than the limit; `ReleaseError` for a rule that cannot be followed.
    init?(grantedTo retrieval: Retrieval, _ releases: Releases) throws {
        guard let study = retrieval.path.study,
            let shown = ReleasedStudies(
                retrieval.archive, reach: retrieval.reach, releases: releases, access: retrieval.caller.access),
            let path = try retrieval.original(among: shown)
        else { return nil }
        var named = retrieval
        named.path = path
        guard let found = try named.masked(limit: retrieval.limit + 1),
            let rule = retrieval.caller.access.releaseRule(for: found.masking)
        else { return nil }
        try retrieval.checkLimit(found.holdings)
        archive = retrieval.archive
        self.rule = rule
        holdings = found.holdings
        addressQuery = ""
        release = try releases.release(by: rule)
        self.study = study
        self.path = path
        visibility = Visibility(maskedOf: retrieval.reach, upTo: .deidentified)
        limit = retrieval.limit
    }

    /// What is shown in full and asked for by a rule; nil where there is nothing.
    ///
    /// It is named by its own UIDs or by those it is released with.
    ///
    /// - Throws: 413 for more than the limit; `ReleaseError` for a rule that cannot be followed.
    init?(_ rule: ReleaseRule, askedBy retrieval: Retrieval, _ releases: Releases) throws {
        release = try releases.release(by: rule)
        var named = retrieval
        var found = try named.inFull(limit: retrieval.limit + 1)
        if found.isEmpty {
            let shown = ReleasedStudies(
                retrieval.archive, reach: retrieval.reach, releases: releases, asked: rule)
            guard let path = try retrieval.original(among: shown) else { return nil }
            named.path = path
            found = try named.inFull(limit: retrieval.limit + 1)
        }
        guard !found.isEmpty, let study = named.path.study else { return nil }
        try retrieval.checkLimit(found)
        archive = retrieval.archive
        self.rule = rule
        holdings = found
        addressQuery = "?\(AskedProfile.name)=\(rule.profile)"
        self.study = try release.shownUID(ofStudy: study)
        path = named.path
        visibility = retrieval.visibility
        limit = retrieval.limit
    }
}

extension Retrieval {
    /// By its own UIDs what the path names by those it is shown with; nil where that is nothing.
    fileprivate func original(among shown: ReleasedStudies) throws -> ResourcePath? {
        let named = ReleasedStudies.Names(
            studies: path.study.map { [$0] } ?? [], series: path.series.map { [$0] } ?? [],
            instances: path.instance.map { [$0] } ?? [])
        guard let found = try shown.originals(of: named, limit: limit + 1) else { return nil }
        return ResourcePath(
            study: found.studies.first, series: found.series.first, instance: found.instances.first)
    }
}

/// An instance that may be given: as it is stored, or made for who asks.
struct ShownInstance: Sendable {
    var content: InstanceContent
    /// What it is, or was made of.
    var holding: Holding
    var path: ResourcePath
    var isMade: Bool

    /// What tells answers apart; nil where nobody is to keep one.
    func tag(_ archive: Archive, form: String) -> String? { isMade ? nil : archive.tag([holding], form: form) }

    static func fields(_ type: String, tag: String?) -> HTTPFields {
        guard let tag else { return [.contentType: type, .cacheControl: "private, no-store"] }
        return [.contentType: type, .cacheControl: "private, no-cache", .eTag: tag]
    }
}
