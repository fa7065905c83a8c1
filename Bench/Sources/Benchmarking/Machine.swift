import Foundation
import Glibc

/// The machine a report was made on.
public struct Machine: Codable, Equatable, Sendable {
    public let processor: String
    public let coreCount: Int
    public let memoryByteCount: Int
    public let system: String
    public let kernel: String
    public let fileSystem: FileSystem
    /// Milliseconds to write 4 KiB and sync them: median of 100.
    public let smallSyncMilliseconds: Double
    /// MB/s when 256 MiB are written and synced once.
    public let sequentialMegabytesPerSecond: Double

    /// Asks the kernel, and tries the disk under `folder`.
    ///
    /// - Throws: `.notOnDisk`; `.system`.
    init(folder: String, fileSystem: FileSystem) throws(BenchError) {
        let cpu = Self.value(of: "model name", in: "/proc/cpuinfo", separator: ":") ?? "unknown"
        processor = cpu
        coreCount = ProcessInfo.processInfo.activeProcessorCount
        memoryByteCount = Int(ProcessInfo.processInfo.physicalMemory)
        let name = Self.value(of: "PRETTY_NAME", in: "/etc/os-release", separator: "=") ?? "Linux"
        system = name.trimmingCharacters(in: ["\""])
        kernel =
            (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8))?
            .trimmingCharacters(in: .whitespacesAndNewlines) ?? "unknown"
        self.fileSystem = fileSystem
        smallSyncMilliseconds = try Self.smallSync(folder)
        let seconds = try WriteAndSync.measure(
            objectCount: 1, byteCount: 256 << 20, writers: 1, folder: folder + "/disk")
        sequentialMegabytesPerSecond = Double(256 << 20) / 1e6 / seconds
    }

    /// Bytes of memory that can be had without swapping.
    static var availableMemoryByteCount: Int {
        let value = value(of: "MemAvailable", in: "/proc/meminfo", separator: ":") ?? ""
        return (value.split(separator: " ").first.flatMap { Int($0) } ?? 0) << 10
    }

    private static func smallSync(_ folder: String) throws(BenchError) -> Double {
        let path = folder + "/sync"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system(call: "open", on: path, code: errno) }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 0x5A, count: 4096)
        let clock = ContinuousClock()
        var samples: [Double] = []
        for _ in 0..<100 {
            let start = clock.now
            guard write(file, page, page.count) == page.count, fdatasync(file) == 0 else {
                throw .system(call: "fdatasync", on: path, code: errno)
            }
            samples.append((clock.now - start).inSeconds * 1000)
        }
        return Summary(of: samples)?.median ?? 0
    }

    private static func value(of key: String, in path: String, separator: Character) -> String? {
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
        return line?.split(separator: separator, maxSplits: 1).last.map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
