import DICOM
import Foundation
import Testing

/// The phantoms of this package and, when they are there, real files: written in every encoding, nothing changes.
@Suite struct RewriteImageTests {
    private static let phantoms: [URL] = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = root.appendingPathComponent("TestImages/phantoms")
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { folder.appendingPathComponent($0) }
    }()

    /// A dataset of a file, and how it is encoded.
    private static func dataset(_ url: URL) throws -> (bytes: [UInt8], syntax: TransferSyntax)? {
        guard let data = try? Data(contentsOf: url), let meta = try Part10.parseMeta(Array(data.prefix(1 << 20)))
        else { return nil }
        return (Array(data[meta.datasetOffset...]), meta.transferSyntax)
    }

    /// What a source can be written as without touching its pixels.
    private static func targets(_ from: TransferSyntax, _ scanned: ScannedDataset) -> [TransferSyntax] {
        let isCompressed = scanned.pixelData?.isEncapsulated ?? false
        if isCompressed || (from.isEncapsulated && scanned.pixelData != nil) { return [from] }
        return [.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian]
    }

    /// Writes a file in every encoding it can have and compares; returns what differs.
    private static func differences(_ url: URL) throws -> [String] {
        guard let (bytes, from) = try dataset(url) else { return ["no DICOM"] }
        let scanned = try scan(bytes, from)
        let form = try canonical(bytes, from)
        var result: [String] = []
        for to in targets(from, scanned) {
            var options = RewriteOptions()
            options.fedByteCount = 60_000
            do throws(RewriteError) {
                let written = try rewrite(bytes, from, to, options)
                let isSame = (try? canonical(written.bytes, to) == form) ?? false
                if !isSame { result.append("\(to.name): changed") }
                let again = try? scan(written.bytes, to)
                if again?.isDamaged ?? true { result.append("\(to.name): damaged") }
            } catch { result.append("\(to.name): \(error.name)") }
        }
        return result
    }

    /// Puts native frames into fragments and back, as the plans say; returns what differs.
    private static func differencesOfCopies(_ url: URL) throws -> [String]? {
        guard let (bytes, from) = try dataset(url) else { return nil }
        let to = TransferSyntax.encapsulatedUncompressedExplicitVRLittleEndian
        guard let copied = try copy(bytes, from, to) else { return nil }
        guard let back = try copy(copied, to, .explicitVRLittleEndian) else { return ["no way back"] }
        return try canonical(back, .explicitVRLittleEndian) == canonical(bytes, from) ? [] : ["changed"]
    }

    /// Does what a plan says when no codec is needed; nil when one is.
    private static func copy(
        _ bytes: [UInt8], _ from: TransferSyntax, _ to: TransferSyntax
    ) throws -> [UInt8]? {
        let scanned = try scan(bytes, from)
        guard let layout = scanned.pixelData, !from.isDeflated,
            let plan = try? Transcoding.plan(header: scanned.header, from: from, to: to, layout: layout),
            let work = plan.frames, work.isCopy
        else { return nil }
        let source = FrameSource(frameCount: work.frameCount) { index, give in
            var frame = layout.frameRanges(index).flatMap { bytes[Int($0.offset)..<Int($0.offset + $0.length)] }
            work.orderBytes(&frame)
            // A fragment is padded, a frame is not.
            try frame.prefix(Int(work.native.frameByteCount)).withUnsafeBytes { try give($0) }
        }
        let collector = PieceCollector()
        var rewriter = try DatasetRewriter(
            from: from, to: to, header: scanned.header, replacing: plan.replacing(), removing: plan.removing,
            pixelData: to.isEncapsulated
                ? .encapsulated(frames: source)
                : .native(vr: work.vr, byteCount: work.nativeByteCount, frames: source)
        ) { collector.take($0, isLast: $1) }
        var start = 0
        while start < bytes.count {
            let end = min(start + 60_000, bytes.count)
            try rewriter.feed(bytes[start..<end])
            start = rewriter.skipReplacedPixelData(layout).map { Int($0) } ?? end
        }
        _ = try rewriter.finish()
        return collector.result.bytes
    }

    @Test func copiesFramesIntoFragmentsAndBack() throws {
        var copiedCount = 0
        for url in Self.phantoms {
            guard let differences = try Self.differencesOfCopies(url) else { continue }
            copiedCount += 1
            #expect(differences == [], "\(url.lastPathComponent)")
        }
        #expect(copiedCount > 20)
    }

    @Test func keepsEveryPhantom() throws {
        #expect(Self.phantoms.count > 50)
        for url in Self.phantoms {
            let differences = try Self.differences(url)
            #expect(differences == [], "\(url.lastPathComponent)")
        }
    }

    /// A private OB value that begins as a sequence's item does: without a VR the scan takes it for one.
    private static let looksLikeASequence = "grailbio+go-dicom/examples/I_000034.dcm"

    @Test(.enabled(if: RealImages.folder != nil, "no real images: set HUIZHEN_IMAGES or put them in ../shared/images"))
    func keepsEveryRealImage() throws {
        let folder = try #require(RealImages.folder)
        for path in RealImages.paths {
            let differences = try Self.differences(folder.appendingPathComponent(path))
            let name = TransferSyntax.implicitVRLittleEndian.name
            let expected = path == Self.looksLikeASequence ? ["\(name): changed", "\(name): damaged"] : []
            #expect(differences == expected, "\(path)")
        }
    }
}
