import DICOM
import Deidentification
import Keys

/// The de-identification engine over objects in memory; what comes out is counted and thrown away.
public final class DeidentificationMill {
    /// Why an object did not come out.
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    private let deidentifier: Deidentifier

    /// - Parameter profile: one of the named profiles.
    public init(profile: String) throws(Failure) {
        do {
            deidentifier = Deidentifier(profile: try Profile(named: profile), key: ProjectKey(try .random()))
        } catch { throw Failure(description: "\(error)") }
    }

    /// Puts Part 10 files through, one after the other, on the caller's thread.
    public func run(_ files: [[UInt8]]) throws(Failure) {
        for file in files {
            do {
                guard let meta = try Part10.parseMeta(file) else { throw Failure(description: "no Part 10 file") }
                let output = Counter()
                var instance = deidentifier.instance(transferSyntax: meta.transferSyntax, output: output)
                try file.withUnsafeBytes {
                    try instance.feed(UnsafeRawBufferPointer(rebasing: $0[meta.datasetOffset...]))
                }
                _ = try instance.finish()
                guard output.byteCount > 0 else { throw Failure(description: "nothing came out") }
            } catch let failure as Failure { throw failure } catch { throw Failure(description: "\(error)") }
        }
    }

    /// Bytes before Pixel Data (7FE0,0010) of an explicit VR little endian file.
    public static func headerByteCount(of file: [UInt8]) -> Int {
        let beginning: [UInt8] = [0xE0, 0x7F, 0x10, 0x00, 0x4F, 0x57]
        return file.indices.first { file[$0] == 0xE0 && file[$0...].starts(with: beginning) } ?? file.count
    }

    private final class Counter: DeidentificationOutput {
        var byteCount = 0

        func begin(_ header: OutputHeader) throws {}
        func write(_ bytes: UnsafeRawBufferPointer) throws { byteCount += bytes.count }
    }
}
