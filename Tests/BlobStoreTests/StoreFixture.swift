import Foundation
import Keys
import Testing

@testable import BlobStore

/// A store in a directory of its own that goes with it.
final class StoreFixture {
    let directory: String
    private(set) var keys: KeyStore
    private(set) var store: BlobStore
    let study: KeyID
    let options: BlobStoreOptions

    static var smallOptions: BlobStoreOptions {
        var options = BlobStoreOptions()
        options.reserveByteCount = 0
        options.preparedLaneCount = 0
        options.firstPrewriteByteCount = 0
        options.prewriteByteCount = 0
        options.movesKeys = false
        return options
    }

    /// What lies ahead of the objects: nothing, or the blanks that a store of the shipped settings overwrites.
    enum Ahead: CaseIterable {
        case nothing, blanks

        var options: BlobStoreOptions {
            var options = StoreFixture.smallOptions
            guard self == .blanks else { return options }
            options.preparedLaneCount = 1
            options.firstPrewriteByteCount = Pack.zeroStepByteCount
            return options
        }
    }

    /// A store that has written its blanks, if it is to.
    convenience init(_ ahead: Ahead) throws {
        try self.init(ahead.options)
        guard ahead == .blanks else { return }
        let pack = try store.shelf.pack(forLane: 0, expectedByteCount: 0)
        for _ in 0..<3000 where pack.readyByteCount < Pack.zeroStepByteCount { usleep(10_000) }
        try #require(pack.readyByteCount >= Pack.zeroStepByteCount, "no blanks were written")
    }

    init(_ options: BlobStoreOptions = smallOptions, under parent: String? = nil) throws {
        self.options = options
        directory = try TemporaryDirectory.make(under: parent)
        keys = try KeyStore.open(directory: directory + "/keys")
        store = try BlobStore.open(directory: directory + "/blobs", keys: keys, options: options)
        let made = try keys.createStudyKey()
        try made.ticket.wait()
        study = made.id
    }

    /// Opens a copy of another's files as they are now.
    ///
    /// - Parameter blobs: packs to take instead of the present ones.
    init(copying other: StoreFixture, blobs: String? = nil, _ options: BlobStoreOptions? = nil) throws {
        self.options = options ?? other.options
        study = other.study
        directory = try TemporaryDirectory.make()
        try TemporaryDirectory.copyFolder(blobs ?? other.directory + "/blobs", to: directory + "/blobs")
        try TemporaryDirectory.copyFolder(other.directory + "/keys", to: directory + "/keys")
        keys = try KeyStore.open(directory: directory + "/keys")
        store = try BlobStore.open(directory: directory + "/blobs", keys: keys, options: self.options)
        _ = try store.scan { _ in }
    }

    deinit {
        store.close()
        TemporaryDirectory.remove(directory)
    }

    /// Opens keys and packs anew, as a restart does.
    @discardableResult
    func reopen() throws -> ScanReport {
        store.close()
        keys = try KeyStore.open(directory: directory + "/keys")
        store = try BlobStore.open(directory: directory + "/blobs", keys: keys, options: options)
        return try store.scan { _ in }
    }

    func put(
        _ content: [UInt8], metadata: [UInt8] = [], record: [UInt8] = [], sequence: UInt64 = 1, study: KeyID? = nil
    ) throws -> BlobLocation {
        let writer = try store.begin()
        try content.withUnsafeBytes { try writer.append($0) }
        _ = try writer.finishContent()
        let location = try writer.write(
            metadata: metadata, record: record, sequence: sequence, studyKey: study ?? self.study)
        try writer.sync()
        return location
    }

    /// The object that lies there now.
    func place(_ location: BlobLocation) throws -> BlobPlace {
        BlobPlace(location: location, sequence: try header(location).sequence)
    }

    func content(_ location: BlobLocation) throws -> [UInt8] {
        let reader = try store.open(location)
        var bytes = [UInt8](repeating: 0, count: Int(reader.contentByteCount))
        let count = try bytes.withUnsafeMutableBytes { try reader.read(offset: 0, into: $0) }
        #expect(count == bytes.count)
        return bytes
    }

    func locations(from positions: [UInt32: UInt64] = [:]) throws -> [BlobLocation] {
        var found: [BlobLocation] = []
        _ = try store.scan(from: positions) { found.append($0.location) }
        return found
    }

    func packPath(_ number: UInt32) -> String { directory + "/blobs/" + PackName.pack(number) }

    /// Changes bytes of a pack behind the store's back.
    func overwrite(_ location: BlobLocation, at offset: UInt64, with bytes: [UInt8]) throws {
        let file = try OpenFile(packPath(location.pack), flags: O_RDWR)
        try file.write(bytes, at: location.offset + offset)
    }

    func bytes(_ location: BlobLocation, at offset: UInt64 = 0, count: Int) throws -> [UInt8] {
        try OpenFile(packPath(location.pack), flags: O_RDONLY).read(count: count, at: location.offset + offset)
    }

    func flip(_ location: BlobLocation, at offset: UInt64) throws {
        let byte = try bytes(location, at: offset, count: 1)[0]
        try overwrite(location, at: offset, with: [byte ^ 0x10])
    }
}

enum TemporaryDirectory {
    static func make(under parent: String? = nil) throws -> String {
        let base = parent ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array((base + "/huizhen-test-XXXXXX").utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp") }
        return template.withUnsafeBufferPointer { String(cString: $0.baseAddress.unsafelyUnwrapped) }
    }

    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    static func copyFolder(_ source: String, to target: String) throws {
        try OpenFile.makeDirectory(target)
        for name in try FileManager.default.contentsOfDirectory(atPath: source) {
            try copy(source + "/" + name, to: target + "/" + name)
        }
    }

    static func copy(_ source: String, to target: String) throws {
        let input = try OpenFile(source, flags: O_RDONLY)
        let output = try OpenFile(target, flags: O_RDWR | O_CREAT | O_TRUNC)
        let count = try input.byteCount()
        try output.write(try input.read(count: Int(count), at: 0), at: 0)
    }
}

/// Bytes that look like nothing and are the same every time.
func noise(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        for index in 0..<count {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            buffer[index] = UInt8(truncatingIfNeeded: state >> 24)
        }
        initialized = count
    }
}
