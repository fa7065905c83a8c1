/// The names under which this client put files, so that it finds them again: a client looks at what it put, sets its times
/// and renames it. They mean nothing beyond the conversation.
struct UploadNames {
    /// Files that are remembered, and directories that are made; with one file more all files are forgotten.
    static let limit = 10_000
    /// What the names of either take in memory: a path is of up to 4,096 bytes.
    static let byteCountLimit = 2 << 20

    enum Held: Equatable {
        case directory
        /// Being written.
        case open
        /// Stored, of so many bytes.
        case stored(UInt64)
    }

    private var held: [FilePath: Held] = [:]
    private var directoryCount = 0
    private var directoryByteCount = 0
    private var fileByteCount = 0

    /// What is at a path; the root is a directory.
    subscript(path: FilePath) -> Held? { path.names.isEmpty ? .directory : held[path] }

    /// - Returns: false when there are too many.
    mutating func makeDirectory(_ path: FilePath) -> Bool {
        guard held[path] == nil else { return true }
        let byteCount = Self.byteCount(of: path)
        guard directoryCount < Self.limit, directoryByteCount + byteCount <= Self.byteCountLimit else { return false }
        directoryCount += 1
        directoryByteCount += byteCount
        held[path] = .directory
        return true
    }

    mutating func begin(_ path: FilePath) { held[path] = .open }

    mutating func store(_ path: FilePath, byteCount: UInt64) {
        if held.count - directoryCount >= Self.limit || fileByteCount >= Self.byteCountLimit {
            held = held.filter { if case .stored = $0.value { false } else { true } }
            fileByteCount = 0
        }
        fileByteCount += Self.byteCount(of: path)
        held[path] = .stored(byteCount)
    }

    mutating func forget(_ path: FilePath) { held[path] = nil }

    /// With what an array for each of its names takes.
    private static func byteCount(of path: FilePath) -> Int { path.names.reduce(64) { $0 + $1.bytes.count + 48 } }

    /// What is directly in a directory, sorted.
    func entries(in directory: FilePath) -> [FileEntry] {
        held.filter { $0.key.names.count == directory.names.count + 1 && $0.key.parent == directory }
            .compactMap { path, held in
                guard let name = path.names.last else { return nil }
                switch held {
                case .directory: return FileEntry(name: name.bytes, attributes: .dropDirectory)
                case .open: return nil
                case .stored(let byteCount): return FileEntry(name: name.bytes, attributes: .upload(byteCount))
                }
            }
            .sorted { $0.name.lexicographicallyPrecedes($1.name) }
    }
}
