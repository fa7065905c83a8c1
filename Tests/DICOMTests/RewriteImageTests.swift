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
