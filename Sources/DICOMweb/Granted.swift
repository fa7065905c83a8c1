import Access
import Archive
import Catalog
import DICOM
import HTTP
import HTTPTypes
import Release

/// What a path names of what was granted masked, and how it goes out. Nothing of the originals is given by it.
struct Granted: Sendable {
    let archive: Archive
    let rule: ReleaseRule
    let holdings: [Holding]
    private let release: Release
    /// The study as it was asked for.
    private let study: String
    /// By the UIDs of the originals.
    private let path: ResourcePath
    private let visibility: Visibility
    private let limit: Int

    fileprivate init(
        _ retrieval: Retrieval, study: String, _ holdings: [Holding], _ rule: ReleaseRule, _ release: Release
    ) {
        archive = retrieval.archive
        path = retrieval.path
        visibility = Visibility(maskedOf: retrieval.reach, upTo: .deidentified)
        limit = retrieval.limit
        self.study = study
        self.holdings = holdings
        self.rule = rule
        self.release = release
    }

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

    /// The images that stand for it; each is made when it is opened.
    var images: RepresentativeImage {
        RepresentativeImage(archive: archive, path: path, visibility: visibility) { path in
            try archive.holdings(at: path, visibility: visibility, limit: limit)
        } absence: {
            ArchiveError.notFound
        } source: { holding, original in
            // By no UID of the original but the study's, if that was named.
            let path = ResourcePath(
                study: study, series: try original.series.map { try release.uid(for: $0) },
                instance: try release.uid(for: holding.sopInstanceUID))
            return PictureAnswer.Source(holding: holding, path: path, isMade: true) { try content(holding).content }
        }
    }
}

extension Retrieval {
    /// Whether all that is shown of what the path names was granted masked; asks nothing for whom nothing was.
    func isGrantedOnly() throws(ArchiveError) -> Bool {
        guard case .limited(_, let masked) = reach, !masked.isEmpty else { return false }
        return try inFull(limit: 1).isEmpty
    }

    /// What was granted masked and is released, for who is shown nothing of it in full; nil where there is nothing.
    ///
    /// It is named by the UIDs it is released with, or by its own where a grant names its study.
    ///
    /// - Throws: 413 for more than the limit; `ReleaseError` for a rule that cannot be followed.
    func granted(_ releases: Releases) throws -> Granted? {
        guard let study = path.study,
            let shown = MaskedStudies(archive, reach: reach, releases: releases, access: caller.access),
            let originals = try shown.originals(
                of: MaskedStudies.Names(
                    studies: [study], series: path.series.map { [$0] } ?? [],
                    instances: path.instance.map { [$0] } ?? []), limit: limit + 1)
        else { return nil }
        var named = self
        named.path = ResourcePath(study: originals.studies.first)
        named.path.series = originals.series.first
        named.path.instance = originals.instances.first
        guard let found = try named.masked(limit: limit + 1),
            let rule = caller.access.releaseRule(for: found.masking)
        else { return nil }
        try checkLimit(found.holdings)
        return Granted(named, study: study, found.holdings, rule, try releases.release(by: rule))
    }

    /// The one instance that the path names, as it is shown; on the record when it returns.
    func instance(_ releases: Releases) throws -> ShownInstance {
        let full = try inFull(limit: limit + 1)
        if full.isEmpty, let granted = try granted(releases), let holding = granted.holdings.first {
            try note([holding], granted.rule)
            return ShownInstance(
                content: try granted.content(holding).content, holding: holding, path: path, isMade: true)
        }
        guard let first = full.first else { throw try absence() }
        try checkLimit(full)
        try note(full)
        return ShownInstance(
            content: try InstanceContent(try archive.open(first)), holding: first, path: path, isMade: false)
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
