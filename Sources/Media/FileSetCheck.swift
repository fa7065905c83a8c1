import DICOM

/// How what is there differs from what a DICOMDIR lists.
public struct FileSetReport: Codable, Sendable {
    /// Names of each kind that are shown; the counts are whole.
    public static let nameLimit = 100

    /// The DICOMDIR.
    public var directory: String
    public var records = 0
    public var listed = 0
    public var missing = 0
    public var missingNames: [String] = []
    /// Objects that are there and not listed.
    public var unlisted = 0
    public var unlistedNames: [String] = []
    /// File IDs that are none, or lead out of the file-set.
    public var unusableFileIDs = 0
    /// What is wrong with the DICOMDIR. Everything in its folder was read all the same.
    public var fault: String?

    public init(directory: String) { self.directory = directory }
}

/// Compares DICOMDIRs with the files that are there. Pure.
public struct FileSetCheck {
    private struct Root {
        var folder: [Substring]
        var directory: FileSetDirectory
        var report: FileSetReport
        var found: Set<String> = []
    }

    private var roots: [Root] = []

    public init() {}

    public var isEmpty: Bool { roots.isEmpty }

    /// - Parameter path: the DICOMDIR's path, below the same folder as all others.
    public mutating func add(_ directory: FileSetDirectory, path: String) {
        var report = FileSetReport(directory: path)
        report.records = directory.recordCount
        report.listed = directory.files.count
        report.unusableFileIDs = directory.unusableFileIDs
        report.fault = directory.fault.map { "\($0)" }
        roots.append(Root(folder: Self.components(path).dropLast(), directory: directory, report: report))
    }

    private static func components(_ path: String) -> [Substring] { path.split(separator: "/").filter { $0 != "." } }

    /// Whether some DICOMDIR lists this file.
    public func lists(_ path: String) -> Bool {
        let components = Self.components(path)
        return roots.contains { root in
            Self.key(of: components, below: root.folder).map { root.directory.files[$0] != nil } ?? false
        }
    }

    private static func key(of path: [Substring], below folder: [Substring]) -> String? {
        guard path.count > folder.count, path.starts(with: folder) else { return nil }
        return FileID.key(ofPath: path.dropFirst(folder.count).map(String.init))
    }

    /// Notes a file that is there.
    public mutating func note(_ path: String, isObject: Bool) {
        let components = Self.components(path)
        var deepest: Int?
        var isListed = false
        for index in roots.indices {
            guard let key = Self.key(of: components, below: roots[index].folder) else { continue }
            if roots[deepest ?? index].folder.count <= roots[index].folder.count { deepest = index }
            guard roots[index].directory.files[key] != nil else { continue }
            roots[index].found.insert(key)
            isListed = true
        }
        guard let deepest, isObject, !isListed else { return }
        // Of a list that was cut nobody knows what else it named.
        guard roots[deepest].directory.fault?.isIncomplete != true else { return }
        roots[deepest].report.unlisted += 1
        if roots[deepest].report.unlistedNames.count < FileSetReport.nameLimit {
            roots[deepest].report.unlistedNames.append(components.joined(separator: "/"))
        }
    }

    /// One for each DICOMDIR, after every file was noted.
    public func reports() -> [FileSetReport] {
        roots.map { root in
            var report = root.report
            let missing = root.directory.files.filter { !root.found.contains($0.key) }.values
            report.missing = missing.count
            report.missingNames = Array(missing.sorted().prefix(FileSetReport.nameLimit))
            return report
        }
    }
}
