import Foundation
import Keys
import Testing

@testable import BlobStore

/// Prints what storing and reading cost on this machine; asserts nothing. Runs if HUIZHEN_BENCHMARK is set.
///
/// Beside each figure stands a plain overwrite and sync of as many bytes on the same disk.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["HUIZHEN_BENCHMARK"] != nil))
struct StoreBenchmark {
    private static let rounds = 5

    @Test(arguments: [(400, 524_288, 1), (400, 524_288, 4), (2000, 10_240, 1), (2000, 10_240, 4)])
    func storing(count: Int, byteCount: Int, callers: Int) throws {
        let fixture = try StoreFixture(BlobStoreOptions())
        waitForZeros(fixture)
        var (store, plain): ([Double], [Double]) = ([], [])
        for _ in 0..<Self.rounds {
            plain.append(try overwriting(count: count, byteCount: byteCount + 8192, directory: fixture.directory))
            store.append(try seconds { try put(count / callers, byteCount: byteCount, callers: callers, fixture) })
            waitForZeros(fixture)
        }
        print(
            "store \(count) x \(byteCount) B, \(callers) caller(s): best \(store.min() ?? 0) s, median",
            "\(store.sorted()[Self.rounds / 2]) s; plain overwrite and sync, one thread: best \(plain.min() ?? 0) s,",
            "median \(plain.sorted()[Self.rounds / 2]) s")
    }

    /// 100,000 studies' keys, in the directory that HUIZHEN_KEYS_DIRECTORY names if it does.
    @Test func rotating() throws {
        let named = ProcessInfo.processInfo.environment["HUIZHEN_KEYS_DIRECTORY"]
        let directory = try named ?? TemporaryDirectory.make()
        defer { if named == nil { TemporaryDirectory.remove(directory) } }
        let keys = try KeyStore.open(directory: directory)
        let filling = try seconds {
            for _ in keys.studyKeyCount..<100_000 { _ = try keys.createStudyKey() }
            try keys.createStudyKey().ticket.wait()
        }
        let rotating = try seconds { _ = try keys.rotate() }
        print("\(keys.studyKeyCount) study keys: made in \(filling) s, rotated in \(rotating) s")
    }

    @Test func reading() throws {
        let fixture = try StoreFixture()
        let byteCount = 256 << 20
        let location = try fixture.put(noise(byteCount))
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var best = Double.infinity
        for _ in 0..<Self.rounds {
            best = min(
                best,
                try seconds {
                    let reader = try fixture.store.open(location)
                    var offset = 0
                    while offset < byteCount {
                        offset += try buffer.withUnsafeMutableBytes {
                            try reader.read(offset: UInt64(offset), into: $0)
                        }
                    }
                })
        }
        print("read sequentially from page cache: \(Double(byteCount) / best / 1e9) GB/s")
        let small = try (0..<200).map { try fixture.put(noise(10_240, seed: $0), record: noise(400)) }
        let opening = try seconds {
            for _ in 0..<10 { for location in small { _ = try fixture.store.open(location) } }
        }
        print("open an object: \(opening / 2000 * 1e6) µs")
    }

    @Test func scanning() throws {
        let fixture = try StoreFixture()
        for index in 0..<5000 { _ = try fixture.put(noise(2000, seed: UInt64(index)), record: noise(400)) }
        let all = try seconds { try fixture.reopen() }
        let records = try seconds { _ = try fixture.store.scan { _ = try $0.open().record() } }
        print("scan 5000 objects: headers \(all) s, with records \(records) s")
    }

    private func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }

    private func waitForZeros(_ fixture: StoreFixture) {
        var previous: UInt64 = .max
        while let free = try? fixture.store.freeByteCount(), free != previous {
            previous = free
            usleep(500_000)
        }
    }

    private func overwriting(count: Int, byteCount: Int, directory: String) throws -> Double {
        let file = try OpenFile(directory + "/plain", flags: O_RDWR | O_CREAT)
        let bytes = noise(byteCount)
        for index in 0..<count { try file.write(bytes, at: UInt64(index * byteCount)) }
        try file.syncData()
        return try seconds {
            for index in 0..<count {
                try file.write(bytes, at: UInt64(index * byteCount))
                try file.syncData()
            }
        }
    }

    private func put(_ count: Int, byteCount: Int, callers: Int, _ fixture: StoreFixture) throws {
        let (store, study, content) = (fixture.store, fixture.study, noise(byteCount))
        let threads = (0..<callers).compactMap { _ in
            WorkerThread {
                for index in 0..<count {
                    do {
                        let writer = try store.begin()
                        try content.withUnsafeBytes { try writer.append($0) }
                        _ = try writer.finishContent()
                        _ = try writer.write(
                            metadata: [UInt8](repeating: 1, count: 3000), record: [UInt8](repeating: 2, count: 400),
                            sequence: UInt64(index), studyKey: study)
                        try writer.sync()
                    } catch { Issue.record(error) }
                }
            }
        }
        for thread in threads { thread.join() }
    }
}
