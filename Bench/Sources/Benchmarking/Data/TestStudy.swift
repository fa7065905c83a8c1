import Foundation

/// One study of Part 10 files on disk, split into four folders so that four clients can send a quarter each.
public final class TestStudy {
    /// Folders the files are dealt into.
    public static let partCount = 4

    public let workload: Workload
    public let objectCount: Int
    public let totalByteCount: Int
    /// The folders, each with a quarter of the files.
    public let parts: [String]
    public private(set) var identity: StudyIdentity
    private var files: [(path: String, places: Part10Writer.Places)]
    private let seed: UInt64
    private var generation = 0

    /// The size of one object, as the plain write-and-sync writes it.
    public var objectByteCount: Int { totalByteCount / objectCount }

    /// Writes the files under `folder`, generated or built from the files of a real series.
    ///
    /// - Throws: `.system` if a file cannot be written; `.unusableSeries`.
    public init(_ workload: Workload, seed: UInt64, folder: String, series: RealSeries?) throws(BenchError) {
        self.workload = workload
        self.seed = seed
        let identity = StudyIdentity(seed: seed, name: workload.name, generation: 0)
        self.identity = identity
        let parts = (0..<Self.partCount).map { "\(folder)/\($0)" }
        self.parts = parts
        for part in parts { try Files.makeFolder(part) }
        let phantom = Phantom(workload: workload, seed: seed)
        var files: [(String, Part10Writer.Places)] = []
        var total = 0
        for index in 0..<workload.objectCount {
            let path = parts[index % parts.count] + "/" + String(index) + ".dcm"
            let places: Part10Writer.Places
            if let series {
                let object = try series.object(index, identity: identity)
                try Files.write(object.bytes, to: path)
                places = object.places
                total += object.bytes.count
            } else {
                let writer = phantom.header(of: index, identity: identity)
                try Files.write(writer.bytes + (workload.isSparse ? Data() : phantom.pixels(of: index)), to: path)
                if workload.isSparse {
                    try Files.extend(path, toByteCount: writer.bytes.count + workload.pixelByteCount)
                }
                places = writer.places
                total += writer.bytes.count + workload.pixelByteCount
            }
            files.append((path, places))
        }
        self.files = files
        objectCount = files.count
        totalByteCount = total
    }

    /// Gives study, series and all instances new UIDs, in place, so that no server has seen them before.
    ///
    /// - Throws: `.system`.
    public func renew() throws(BenchError) {
        generation += 1
        identity = StudyIdentity(seed: seed, name: workload.name, generation: generation)
        for (index, file) in files.enumerated() {
            var patches = file.places.instance.map { ($0, identity.instance(index)) }
            if let study = file.places.study { patches.append((study, identity.study)) }
            if let series = file.places.series { patches.append((series, identity.series)) }
            try Files.patch(file.path, patches)
        }
    }

    /// Every file.
    var paths: [String] { files.map(\.path) }

    /// The folders for each of `associations` clients.
    func shares(associations: Int) -> [[String]] {
        var shares = [[String]](repeating: [], count: associations)
        for (index, part) in parts.enumerated() { shares[index % associations].append(part) }
        return shares
    }
}
