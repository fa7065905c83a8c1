import Foundation

/// Plain files, with a closed error.
enum Files {
    static func makeFolder(_ path: String) throws(BenchError) {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw .system(call: "mkdir", on: path, code: errno)
        }
    }

    static func write(_ data: Data, to path: String) throws(BenchError) {
        guard FileManager.default.createFile(atPath: path, contents: data) else {
            throw .system(call: "write", on: path, code: errno)
        }
    }

    /// Lengthens a file by a hole.
    static func extend(_ path: String, toByteCount byteCount: Int) throws(BenchError) {
        guard truncate(path, byteCount) == 0 else { throw .system(call: "truncate", on: path, code: errno) }
    }

    /// Overwrites bytes at the given offsets.
    static func patch(_ path: String, _ patches: [(offset: Int, text: String)]) throws(BenchError) {
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(call: "open", on: path, code: errno) }
        defer { close(file) }
        for patch in patches {
            let bytes = Array(patch.text.utf8)
            guard pwrite(file, bytes, bytes.count, patch.offset) == bytes.count else {
                throw .system(call: "pwrite", on: path, code: errno)
            }
        }
    }

    /// Files directly in a folder.
    static func count(in folder: String) -> Int {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).count
    }

    /// Removes a folder and makes it anew.
    static func empty(_ folder: String) throws(BenchError) {
        try? FileManager.default.removeItem(atPath: folder)
        try makeFolder(folder)
    }
}
