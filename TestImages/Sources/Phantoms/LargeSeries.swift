import DICOM
import Foundation

/// Many CT slices, written one by one on demand and never committed.
public struct LargeSeries: Sendable {
    public static let countLimits = 1...100_000
    /// Rows and columns of a slice.
    public static let sizeLimits = 16...4096

    private let seed: Seed
    private let count: Int
    private let size: Int

    /// - Throws: `.outOfBounds` for a count or size outside the limits.
    public init(seed: Seed, count: Int, size: Int) throws(GeneratorError) {
        try GeneratorError.check("count", count, within: Self.countLimits)
        try GeneratorError.check("size", size, within: Self.sizeLimits)
        self.seed = seed
        self.count = count
        self.size = size
    }

    /// Writes `large-ct-00001.dcm` and so on; holds one slice at a time. Another seed gives another study.
    public func write(into folder: URL, progress: (_ written: Int) -> Void = { _ in }) throws(GeneratorError) {
        try GeneratorError.createFolder(folder)
        for number in 1...count {
            let phantom = slice(number)
            try GeneratorError.write(Data(phantom.part10()), to: folder.appending(path: "\(phantom.name).dcm"))
            progress(number)
        }
    }

    func slice(_ number: Int) -> Phantom {
        let visit = Visit(key: "large ct", subject: .linYunqi, description: "大序列 large series", date: "20260123")
        let series = Series(
            visit: visit, key: "large ct \(count) \(size)", number: 1, modality: "CT",
            description: "\(count) × \(size)",
            bodyPart: "CHEST")
        let digits = String(number)
        let name = "large-ct-" + String(repeating: "0", count: 5 - min(5, digits.count)) + digits
        return TomographyPhantoms.slice(
            name, series: series, number: number, of: count, size: size, noise: 12, seed: seed)
    }
}

extension GeneratorError {
    static func check(_ argument: String, _ value: Int, within limits: ClosedRange<Int>) throws(GeneratorError) {
        guard limits.contains(value) else {
            throw .outOfBounds(argument: argument, from: limits.lowerBound, through: limits.upperBound)
        }
    }

    /// Creates a folder and those above it.
    public static func createFolder(_ folder: URL) throws(GeneratorError) {
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(file: folder.lastPathComponent)
        }
    }

    /// Writes a file whole.
    public static func write(_ data: Data, to url: URL) throws(GeneratorError) {
        do {
            try data.write(to: url)
        } catch {
            throw .unwritable(file: url.lastPathComponent)
        }
    }
}
