/// The names under which this client put files, so that it finds them again: a client looks at what it put, sets its times
/// and renames it. They mean nothing beyond the conversation.
struct UploadNames {
    /// Files that are remembered, and directories that are made; with one file more all files are forgotten.
    static let limit = 10_000

    enum Held: Equatable {
        case directory
        /// Being written.
        case open
        /// Stored, of so many bytes.
        case stored(UInt64)
    }

    private var held: [FilePath: Held] = [:]
    private var directoryCount = 0

    /// What is at a path; the root is a directory.
    subscript(path: FilePath) -> Held? { path.names.isEmpty ? .directory : held[path] }

    /// - Returns: false when there are too many.
    mutating func makeDirectory(_ path: FilePath) -> Bool {
        guard directoryCount < Self.limit else { return false }
        directoryCount += 1
        held[path] = .directory
        return true
    }

    mutating func begin(_ path: FilePath) { held[path] = .open }

    mutating func store(_ path: FilePath, byteCount: UInt64) {
        if held.count - directoryCount >= Self.limit {
            held = held.filter { if case .stored = $0.value { false } else { true } }
        }
        held[path] = .stored(byteCount)
    }

    mutating func forget(_ path: FilePath) { held[path] = nil }

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
