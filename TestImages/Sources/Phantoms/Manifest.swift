import DICOM
import Foundation

/// What is in the folder of phantoms.
public struct Manifest: Codable, Equatable, Sendable {
    /// One file.
    public struct Entry: Codable, Equatable, Sendable {
        /// Relative to the manifest.
        public var path: String
        public var byteCount: Int
        /// In lower-case hexadecimal.
        public var sha256: String
        public var sopClassUID: String
        public var sopInstanceUID: String
        public var transferSyntaxUID: String
        /// The values of (0008,0005); empty when the file has none.
        public var characterSet: [String]
        public var rows: Int?
        public var columns: Int?
        public var frames: Int?
        public var shows: String
    }

    public var seed: UInt64
    public var files: [Entry]

    /// Draws every phantom and hands each file's bytes to `body` with its entry.
    public init<Failure: Error>(
        _ phantoms: PhantomCollection, body: (Entry, [UInt8]) throws(Failure) -> Void
    ) throws(Failure) {
        seed = phantoms.seed.value
        var entries: [Entry] = []
        try phantoms.forEach { phantom throws(Failure) in
            let file = phantom.part10()
            let entry = Entry(phantom, file: file)
            entries.append(entry)
            try body(entry, file)
        }
        files = entries
    }

    /// As JSON with sorted keys, so that a change shows as one in a comparison of lines.
    public func json() throws(GeneratorError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self) + Data("\n".utf8)
        } catch {
            throw .unwritable(file: "manifest.json")
        }
    }

    /// Reads a manifest; `.unreadable` if it is none.
    public init(contentsOf url: URL) throws(GeneratorError) {
        do {
            self = try JSONDecoder().decode(Manifest.self, from: Data(contentsOf: url))
        } catch {
            throw .unreadable(file: url.lastPathComponent)
        }
    }
}

extension Manifest.Entry {
    init(_ phantom: Phantom, file: [UInt8]) {
        let dataset = phantom.dataset
        path = "phantoms/\(phantom.name).dcm"
        byteCount = file.count
        sha256 = SHA256.hex(file)
        sopClassUID = phantom.sopClassUID
        sopInstanceUID = dataset.string(.sopInstanceUID) ?? ""
        transferSyntaxUID = phantom.transferSyntax.uid
        characterSet = phantom.declaredCharacterSet
        rows = dataset.int(.rows)
        columns = dataset.int(.columns)
        frames = rows == nil ? nil : dataset.int(.numberOfFrames) ?? 1
        shows = phantom.shows
    }
}
