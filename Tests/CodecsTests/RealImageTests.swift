import Codecs
import DICOM
import Foundation
import Testing

/// Every compressed real image against pydicom's plug-ins, frame by frame.
@Suite(.enabled(if: RealImages.folder != nil, "no real images: set HUIZHEN_IMAGES or put them in ../shared/images"))
struct RealImageTests {
    /// One line of `pixels.py`.
    struct Reference: Decodable {
        var path: String
        var syntax: String
        var frames: Int?
        var bytesPerSample: Int?
        var file: String?
        var error: String?
    }

    @Test(.timeLimit(.minutes(30))) func decodesWhatPydicomDecodesToTheSamePixels() throws {
        let images = try #require(RealImages.folder)
        let output = FileManager.default.temporaryDirectory.appendingPathComponent("huizhen-pixels-\(getpid())")
        try FileManager.default.createDirectory(at: output, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: output) }
        let references = try RealImages.references(images, output)
        #expect(references.count > 90)
        let pool = Workers.pool(2)
        var oneSided: [String: String] = [:]
        for reference in references where !TransferSyntax(uid: reference.syntax).isVideo {
            let ours = Result { try RealImages.decode(images.appendingPathComponent(reference.path), pool) }
            switch (ours, reference.file) {
            case (.success(let frames), let file?):
                let theirs = try Data(contentsOf: output.appendingPathComponent(file))
                try compare(frames, theirs, reference)
            case (.failure(let error), _?): oneSided[reference.path] = "reference: \(error)"
            case (.success, nil): oneSided[reference.path] = "ours"
            case (.failure, nil): oneSided[reference.path] = "neither"
            }
        }
        #expect(
            oneSided.mapValues(Self.side) == Self.listed.filter { !["lossy", "chroma"].contains($0.value) },
            "\(oneSided)")
    }

    private static func side(_ text: String) -> String { String(text.prefix { $0 != ":" }) }

    /// Which files one side alone decodes, or none; why is in the file.
    private static let listed: [String: String] = {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("one-sided-images.tsv")
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        let fields = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { $0.split(separator: "\t") }
        return fields.reduce(into: [:]) { if $1.count == 3 { $0[String($1[0])] = String($1[1]) } }
    }()

    private func compare(_ frames: [[UInt8]], _ theirs: Data, _ reference: Reference) throws {
        var ours = Data(capacity: theirs.count)
        for frame in frames { ours.append(contentsOf: frame) }
        #expect(frames.count == reference.frames, "\(reference.path)")
        try #require(ours.count == theirs.count, "\(reference.path)")
        if ours == theirs { return }
        let isWide = reference.bytesPerSample == 2
        let listed = Self.listed[reference.path]
        // Sample by sample for the first frames; all have been compared as a whole.
        let looked = min(ours.count, 8 * ours.count / max(1, frames.count))
        let (largest, largestChroma) = largestDifferences(
            ours.prefix(looked), theirs.prefix(looked), isWide: isWide, hasOtherChroma: listed == "chroma")
        let allowed = listed == "lossy" ? 2 : tolerance(reference.syntax)
        #expect(largest <= allowed, "\(reference.path): \(largest) in \(reference.syntax)")
        #expect(largestChroma <= 10, "\(reference.path): \(largestChroma)")
    }

    /// Grey levels before any conversion of colours.
    private func tolerance(_ syntax: String) -> Int {
        switch TransferSyntax(uid: syntax) {
        case .jpeg2000, .htj2k: 1
        case .jpegBaseline, .jpegExtended: 2
        case let other: other.isLossy && other != .jpegLSNearLossless ? 2 : 0
        }
    }

    private func largestDifferences(_ left: Data, _ right: Data, isWide: Bool, hasOtherChroma: Bool) -> (Int, Int) {
        left.withUnsafeBytes { left in
            right.withUnsafeBytes { right in
                var largest = (0, 0)
                for index in stride(from: 0, to: left.count - (isWide ? 1 : 0), by: isWide ? 2 : 1) {
                    let difference =
                        isWide
                        ? Int(left.loadUnaligned(fromByteOffset: index, as: Int16.self))
                            - Int(right.loadUnaligned(fromByteOffset: index, as: Int16.self))
                        : Int(left[index]) - Int(right[index])
                    if hasOtherChroma, index % 3 > 0 {
                        largest.1 = max(largest.1, abs(difference))
                    } else {
                        largest.0 = max(largest.0, abs(difference))
                    }
                }
                return largest
            }
        }
    }
}

/// Real files, when they are there: HUIZHEN_IMAGES or ../shared/images.
enum RealImages {
    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static let folder: URL? = {
        let named = ProcessInfo.processInfo.environment["HUIZHEN_IMAGES"].map { URL(fileURLWithPath: $0) }
        let folder = named ?? root.deletingLastPathComponent().appendingPathComponent("shared/images")
        return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }()

    static func references(_ images: URL, _ output: URL) throws -> [RealImageTests.Reference] {
        let named = ProcessInfo.processInfo.environment["HUIZHEN_PYTHON"]
        let python = try named ?? run(root.path + "/Tests/Scripts/python-environment", [])
        let text = try run(
            python.trimmingCharacters(in: .whitespacesAndNewlines),
            ["-B", root.path + "/Tests/Scenarios/Peers/pixels.py", images.path, output.path])
        return try text.split(separator: "\n").map {
            try JSONDecoder().decode(RealImageTests.Reference.self, from: Data($0.utf8))
        }
    }

    private static func run(_ path: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(path)")
        return String(decoding: data, as: UTF8.self)
    }

    /// All frames of a file, as native ones of the stream's colours.
    static func decode(_ file: URL, _ pool: CodecPool) throws -> [[UInt8]] {
        let bytes = Array(try Data(contentsOf: file))
        let meta = try #require(try Part10.parseMeta(bytes))
        var scanner = DatasetScanner(transferSyntax: meta.transferSyntax)
        try scanner.feed(bytes[meta.datasetOffset...])
        let scanned = try scanner.finish()
        let layout = try #require(scanned.pixelData)
        let format = try FrameFormat(header: scanned.header)
        let frame = { (index: Int) -> [UInt8] in
            var frame: [UInt8] = []
            for range in layout.frameRanges(index) {
                let start = meta.datasetOffset + Int(range.offset)
                frame += bytes[start..<start + Int(range.length)]
            }
            return frame
        }
        let conversion = try FrameConversion(
            from: meta.transferSyntax, format, to: .explicitVRLittleEndian,
            format.with(
                photometricInterpretation: streamColours(format, meta.transferSyntax, frame(0)),
                planarConfiguration: 0))
        var frames: [[UInt8]] = []
        try pool.convertInOrder(frameCount: layout.frames, conversion, read: frame) { _, frame in
            frames.append(frame)
        }
        guard !frames.isEmpty else { throw CodecError.malformed(coding: "no frames") }
        return frames
    }

    /// What the frames are before any conversion; images may say otherwise.
    private static func streamColours(
        _ format: FrameFormat, _ syntax: TransferSyntax, _ frame: [UInt8]
    ) -> PhotometricInterpretation {
        if syntax.uid.hasPrefix("1.2.840.10008.1.2.4.5"), let colours = FrameCodec.colours(ofJPEG: frame) {
            return colours
        }
        switch format.photometricInterpretation {
        case .ybrICT, .ybrRCT: return .rgb
        case .ybrFull422: return .ybrFull
        case let other: return other
        }
    }
}
