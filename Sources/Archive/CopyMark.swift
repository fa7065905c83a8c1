import Foundation
import Keys

/// Tells a data directory that was copied while a service ran on it.
///
/// A catalogue and its write-ahead log that were copied one after the other may not belong together, and nothing in
/// them says so; packs, journal and keys bear it. So a running service leaves a mark that names its catalogue's file:
/// where the mark names another file, the catalogue is a copy and is built anew.
struct CopyMark {
    private static let name = "catalog.running"

    private let path: String
    private let catalogue: String

    init(directory: String) {
        path = directory + "/" + Self.name
        catalogue = directory + "/" + Archive.catalogName
    }

    /// Whether the catalogue is a copy of one that was in use.
    var isCopy: Bool {
        guard let text = FileManager.default.contents(atPath: path).map({ String(decoding: $0, as: UTF8.self) }),
            FileManager.default.fileExists(atPath: catalogue)
        else { return false }
        return FileIdentity(text: text) != FileIdentity(catalogue)
    }

    /// Takes the catalogue away; the packs bring it back.
    func dropCatalogue() { for suffix in ["", "-wal", "-shm"] { unlink(catalogue + suffix) } }

    /// Notes that the catalogue is in use.
    func set() {
        guard let identity = FileIdentity(catalogue) else { return }
        // Under another name first, and synced: a copy, and what a power cut leaves, has a whole mark or none. Where there is no room
        // for it, the next start may take a copy for a catalogue of its own.
        try? OpenFile.replace(path, with: Array(identity.text.utf8))
    }

    /// Notes that it was closed in order: then a copy is whole too.
    func clear() { unlink(path) }
}
