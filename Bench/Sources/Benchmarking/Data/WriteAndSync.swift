import Foundation
import Glibc

/// The plainest durable store there is: a file and an `fdatasync` for each object, the same number and size.
enum WriteAndSync {
    /// Writes the objects from `writers` threads and says how long it took; removes them afterwards, off the clock.
    ///
    /// - Throws: `.system` for the first failed call.
    static func measure(
        objectCount: Int, byteCount: Int, writers: Int, folder: String
    ) throws(BenchError) -> Double {
        try Files.empty(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // 1 MiB at a time: a gibibyte object must not need a gibibyte here.
        var random = SplitMix64(state: 1)
        let block = (0..<(1 << 17)).map { _ in random.next() }
        let crew = Crew()
        let clock = ContinuousClock()
        let start = clock.now
        for writer in 0..<writers {
            // Threads of their own: a queue would run no more at once than there are processors.
            crew.add { () throws(BenchError) in
                for index in stride(from: writer, to: objectCount, by: writers) {
                    try write("\(folder)/\(index)", byteCount: byteCount, block: block)
                }
            }
        }
        try crew.wait()
        return (clock.now - start).inSeconds
    }

    private static func write(_ path: String, byteCount: Int, block: [UInt64]) throws(BenchError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw .system(call: "open", on: path, code: errno) }
        defer { close(file) }
        var left = byteCount
        while left > 0 {
            let written = block.withUnsafeBytes { Glibc.write(file, $0.baseAddress, min(left, $0.count)) }
            guard written > 0 else { throw .system(call: "write", on: path, code: errno) }
            left -= written
        }
        guard fdatasync(file) == 0 else { throw .system(call: "fdatasync", on: path, code: errno) }
    }
}
