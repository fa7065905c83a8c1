import DICOM
import Foundation

/// Small real objects to begin with: the phantoms of this package.
public struct SeedImages: Sendable {
    /// Whole files.
    public let files: [[UInt8]]
    /// Their datasets, and how each is encoded.
    public let datasets: [(bytes: [UInt8], syntax: TransferSyntax)]

    /// Bytes of a seed; a longer file is cut, which costs it its pixels.
    private static let byteCountLimit = 6 << 10

    /// - Parameter folder: the phantoms; nothing is read from a folder that is not there.
    public init(folder: String) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        var files: [[UInt8]] = []
        var datasets: [(bytes: [UInt8], syntax: TransferSyntax)] = []
        for name in names.sorted() {
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) else { continue }
            let file = Array(data)
            guard let meta = try? Part10.parseMeta(file) else { continue }
            files.append(Array(file.prefix(Self.byteCountLimit)))
            datasets.append((Array(file[meta.datasetOffset...].prefix(Self.byteCountLimit)), meta.transferSyntax))
        }
        self.files = files
        self.datasets = datasets
    }
}
