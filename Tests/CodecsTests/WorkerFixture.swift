import DICOM
import Foundation

@testable import Codecs

/// Workers of the program that was built beside the tests.
enum Workers {
    static let program: String = {
        if let named = ProcessInfo.processInfo.environment["HUIZHEN_BINARY"] { return named }
        let bundle = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return (bundle as NSString).deletingLastPathComponent + "/huizhen"
    }()

    static func options(_ count: Int = 1) -> CodecPoolOptions {
        var options = CodecPoolOptions()
        options.executable = program
        options.workerCount = count
        return options
    }

    static func pool(_ count: Int = 1) -> CodecPool { CodecPool(options(count)) }
}

extension CodecPool {
    /// Has a worker try something.
    func probe(_ probe: WorkerProbe) throws -> [UInt8] {
        let format = try Frames.format(4, 4)
        return try start(
            PendingFrame(
                [UInt8](repeating: 0, count: 16), .convert(.decoding(.explicitVRLittleEndian, format)),
                probe: probe.rawValue)
        ).wait()
    }

    /// Whether an ordinary frame goes through.
    func works() throws -> Bool {
        let format = try Frames.format(33, 17, bits: 12)
        let pixels = Frames.pixels(format)
        let stream = try convert(pixels, .encoding(format, to: .jpegLSLossless))
        return try convert(stream, .decoding(.jpegLSLossless, format)) == pixels
    }
}
