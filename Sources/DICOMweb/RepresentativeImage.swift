import Archive
import Catalog
import DICOM

/// Which images stand for a study or a series: PS3.18 §10.4.1.1.4 leaves it to the server.
struct RepresentativeImage {
    /// Series of a study that are looked at.
    static let seriesLimit = 10_000
    /// Images that are tried before none is.
    static let tryLimit = 16

    let archive: Archive
    let path: ResourcePath
    let visibility: Visibility
    /// The objects that a path names.
    let found: (ResourcePath) throws -> [Holding]
    /// Why there is nothing.
    let absence: () throws -> any Error
    /// An image, and the path that it was found by.
    let source: (Holding, ResourcePath) throws -> PictureAnswer.Source

    /// Images in the order they stand for the whole: those of the largest series first, from its middle outwards.
    func candidates() throws -> [PictureAnswer.Source] {
        if path.series != nil {
            return Array(Self.fromMiddle(try images(path)).prefix(Self.tryLimit))
        }
        var result: [PictureAnswer.Source] = []
        for series in try series().sorted(by: Self.standsBefore) {
            var path = path
            path.series = series.uid
            // A series may go while it is looked at.
            result += Self.fromMiddle((try? images(path)) ?? []).prefix(Self.tryLimit - result.count)
            if result.count == Self.tryLimit { break }
        }
        return result
    }

    /// Every image, in the order of series and instances.
    func all() throws -> [PictureAnswer.Source] {
        if path.series != nil { return try images(path) }
        var result: [PictureAnswer.Source] = []
        for series in try series() {
            var path = path
            path.series = series.uid
            result += try images(path)
        }
        return result
    }

    // MARK: What is there

    private struct Series {
        var uid: String
        var modality: String
        var instanceCount: Int
    }

    /// Modalities of series that are about images, or made of them.
    private static let secondary: Set<String> = [
        "SR", "PR", "KO", "SEG", "REG", "FID", "RTSTRUCT", "RTPLAN", "RTRECORD", "RTDOSE", "DOC", "OT", "RWV", "ECG",
        "HD", "AU",
    ]

    private static func standsBefore(_ one: Series, _ other: Series) -> Bool {
        let isOneSecondary = secondary.contains(one.modality)
        if isOneSecondary != secondary.contains(other.modality) { return !isOneSecondary }
        return one.instanceCount > other.instanceCount
    }

    private func series() throws -> [Series] {
        guard let study = path.study else { return [] }
        var keys = Dataset()
        keys.set(.studyInstanceUID, .UI, string: study)
        var result: [Series] = []
        try archive.find(
            Query(level: .series, keys: keys, visibility: visibility, limit: Self.seriesLimit)
        ) { match in
            if let uid = match.attributes.string(.seriesInstanceUID) {
                result.append(
                    Series(
                        uid: uid, modality: match.attributes.string(.modality) ?? "",
                        instanceCount: match.attributes.int(.numberOfSeriesRelatedInstances) ?? 0))
            }
            return true
        }
        guard !result.isEmpty else { throw try absence() }
        return result
    }

    /// The images of a series; classes nobody knows may be images too.
    private func images(_ path: ResourcePath) throws -> [PictureAnswer.Source] {
        try found(path).compactMap { holding in
            guard SOPClass.isImage(holding.sopClassUID) || SOPClass.storage[holding.sopClassUID] == nil else {
                return nil
            }
            return try source(holding, path)
        }
    }

    private static func fromMiddle(_ sources: [PictureAnswer.Source]) -> [PictureAnswer.Source] {
        let middle = (sources.count - 1) / 2
        return sources.enumerated().sorted { abs($0.offset - middle) < abs($1.offset - middle) }.map(\.element)
    }
}

extension RepresentativeImage {
    /// Of what is shown in full.
    init(_ retrieval: Retrieval) {
        self.init(archive: retrieval.archive, path: retrieval.path, visibility: retrieval.visibility) { path in
            var retrieval = retrieval
            retrieval.path = path
            return try retrieval.found()
        } absence: {
            try retrieval.absence()
        } source: { holding, path in
            var path = path
            path.instance = holding.sopInstanceUID
            return PictureAnswer.Source(holding: holding, path: path, in: retrieval.archive)
        }
    }
}
