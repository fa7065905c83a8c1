import DICOM
import Foundation
import Testing

/// What `rewritten.py` reports.
struct Comparison: Decodable {
    struct Different: Decodable {
        var path: String
        var made: String
        var how: String
    }

    var compared: Int
    var unreadable: Int
    var different: [Different]
}

/// Datasets that we wrote in another transfer syntax, read by other people's programs.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct RewrittenTests {
    /// A dataset of a file and how it is encoded; nil for what is none, or has compressed pixel data.
    private struct Source {
        var path: String
        var meta: Part10.Meta
        var bytes: [UInt8]

        init?(_ path: String) throws {
            guard let data = FileManager.default.contents(atPath: path), data.count > 132,
                let meta = try? Part10.parseMeta(Array(data)), !meta.meta.isEmpty
            else { return nil }
            self.path = path
            self.meta = meta
            bytes = Array(data[meta.datasetOffset...])
            var scanner = DatasetScanner(transferSyntax: meta.transferSyntax)
            try scanner.feed(bytes)
            let scanned = try scanner.finish()
            if scanned.isDamaged || scanned.isTruncated || scanned.pixelData?.isEncapsulated == true { return nil }
            if meta.transferSyntax.isEncapsulated { return nil }
        }

        /// The file that is made of it.
        func rewritten(to syntax: TransferSyntax) throws -> [UInt8] {
            final class Output { var bytes: [UInt8] = [] }
            let output = Output()
            output.bytes = Part10.header(
                sopClassUID: meta.meta.string(DICOM.Tag.mediaStorageSOPClassUID) ?? "1.2",
                sopInstanceUID: meta.meta.string(DICOM.Tag.mediaStorageSOPInstanceUID) ?? "1.2", transferSyntax: syntax)
            var rewriter = try DatasetRewriter(from: meta.transferSyntax, to: syntax) { piece, _ in
                output.bytes += piece
            }
            try rewriter.feed(bytes)
            _ = try rewriter.finish()
            return output.bytes
        }
    }

    /// The files of a folder and of those inside it.
    private static func paths(_ folder: String) -> [String] {
        let all = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return all.filter { !$0.hasPrefix("LICENSES") }.sorted().map { folder + "/" + $0 }
    }

    private static func canonical(_ bytes: [UInt8], _ syntax: TransferSyntax) throws -> [UInt8] {
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        let walker = CanonicalWalker(transferSyntax: syntax) { output.bytes += $0 }
        try walker.feed(bytes)
        try walker.finish()
        return output.bytes
    }

    @Test func pydicomReadsTheSameElements() throws {
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var list = ""
        for path in try Self.paths(Images.phantoms) + Self.paths(Images.real.get()) {
            // Large ones are slices of series, alike but for their pixels.
            guard let source = try Source(path), source.bytes.count < 400_000 else { continue }
            var syntaxes = [TransferSyntax.implicitVRLittleEndian, .explicitVRLittleEndian]
            if path.hasPrefix(Images.phantoms) { syntaxes.append(.explicitVRBigEndian) }
            for syntax in syntaxes {
                let made = folder + "/\(list.utf8.count)-\(syntax.uid).dcm"
                try Data(source.rewritten(to: syntax)).write(to: URL(fileURLWithPath: made))
                list += "\(path)\t\(made)\n"
            }
        }
        try Data(list.utf8).write(to: URL(fileURLWithPath: folder + "/list"))
        let report: Comparison = try Python.ask("rewritten.py", [folder + "/list"])
        #expect(report.compared > 200)
        #expect(report.different.isEmpty, "\(report.different)")
    }

    /// What dcmconv makes of our file is what it would make of the original.
    @Test func dcmtkReadsTheSameElements() throws {
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var comparedCount = 0
        for path in try Self.paths(Images.phantoms) + Self.paths(Images.pydicom.get() + "/test_files") {
            guard let source = try Source(path), source.bytes.count < 2 << 20 else { continue }
            let plain = try Tool.dcmtk("dcmconv", ["-q", "+te", path, folder + "/original"])
            // DCMTK refuses some of the originals.
            if plain.code != 0 { continue }
            let form = try Self.canonical(source.bytes, source.meta.transferSyntax)
            for syntax in [TransferSyntax.implicitVRLittleEndian, .explicitVRLittleEndian] {
                try Data(source.rewritten(to: syntax)).write(to: URL(fileURLWithPath: folder + "/made"))
                _ = try Tool.dcmtk("dcmconv", ["-q", "+te", folder + "/made", folder + "/read"]).checked()
                let read = try #require(try Source(folder + "/read"), "\(path)")
                let isSame = try Self.canonical(read.bytes, read.meta.transferSyntax) == form
                #expect(isSame, "\(path) as \(syntax.name)")
                comparedCount += 1
            }
        }
        #expect(comparedCount > 100)
    }

    /// Compressed frames written anew, one fragment each: DCMTK decodes the same pixels.
    @Test func dcmtkDecodesFramesThatWerePutInAnew() throws {
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var comparedCount = 0
        for path in try Self.paths(Images.real.get()) {
            guard let data = FileManager.default.contents(atPath: path), (133..<1 << 20).contains(data.count),
                let meta = try? Part10.parseMeta(Array(data)), let decoder = Self.decoder(meta.transferSyntax)
            else { continue }
            let original = folder + "/original"
            if try Tool.dcmtk(decoder, ["-q", path, original]).code != 0 { continue }
            // Files of compressed syntaxes without frames are among the test files of others.
            guard let made = try Self.withFramesPutInAnew(Array(data), meta) else { continue }
            try Data(made).write(to: URL(fileURLWithPath: folder + "/made"))
            _ = try Tool.dcmtk(decoder, ["-q", folder + "/made", folder + "/decoded"]).checked()
            let forms = try [original, folder + "/decoded"].map { path in
                let source = try #require(try Source(path))
                return try Self.canonical(source.bytes, source.meta.transferSyntax)
            }
            #expect(forms[0] == forms[1], "\(path)")
            comparedCount += 1
        }
        #expect(comparedCount > 10)
    }

    /// DCMTK's program that decodes a syntax without loss of its own.
    private static func decoder(_ syntax: TransferSyntax) -> String? {
        switch syntax {
        case .rleLossless: "dcmdrle"
        case .jpegLSLossless, .jpegLSNearLossless: "dcmdjpls"
        case .jpegLossless, .jpegLosslessSV1, .jpegBaseline, .jpegExtended: "dcmdjpeg"
        default: nil
        }
    }

    /// Nil for an object without frames.
    private static func withFramesPutInAnew(_ file: [UInt8], _ meta: Part10.Meta) throws -> [UInt8]? {
        final class Output { var bytes: [UInt8] = [] }
        let output = Output()
        let bytes = Array(file[meta.datasetOffset...])
        output.bytes = Array(file[..<meta.datasetOffset])
        var scanner = DatasetScanner(transferSyntax: meta.transferSyntax)
        try scanner.feed(bytes)
        guard let layout = try scanner.finish().pixelData else { return nil }
        let frames = FrameSource(frameCount: layout.frames) { index, give in
            let frame = layout.frameRanges(index).flatMap { bytes[Int($0.offset)..<Int($0.offset + $0.length)] }
            try frame.withUnsafeBytes { try give($0) }
        }
        var rewriter = try DatasetRewriter(
            from: meta.transferSyntax, to: meta.transferSyntax, pixelData: .encapsulated(frames: frames)
        ) { piece, _ in output.bytes += piece }
        try rewriter.feed(bytes)
        _ = try rewriter.finish()
        return output.bytes
    }
}
