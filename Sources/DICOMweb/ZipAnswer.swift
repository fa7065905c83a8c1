import Archive
import Catalog
import HTTP
import Hummingbird
import Media
import NIOCore

/// A study, series or instance as a zip file with a DICOMDIR, made while it is sent. PS3.10 §8, PS3.18 §8.7.4.
enum ZipAnswer {
    /// Objects of one file: its DICOMDIR is made in memory, about 1 KiB for each.
    static let objectLimit = 50_000

    /// Blocks until the first piece is made.
    static func response(_ retrieval: Retrieval, _ holdings: [Holding]) throws -> Response {
        guard holdings.count <= objectLimit else {
            throw Problem(
                .contentTooLarge, "A zip file has at most \(objectLimit) objects: ask for one series after another.")
        }
        let archive = retrieval.archive
        let made = try RewrittenObject(named: "zip") { give in
            let output = try ZipStream(give)
            do { try write(holdings, of: archive, to: output) } catch { throw output.failure ?? error }
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .cacheControl: "private, no-cache",
                .contentDisposition: "attachment; filename=\"dicom.zip\"",
            ], body: PulledBody(MadePieces(made), pool: retrieval.pool).body())
    }

    private static func write(_ holdings: [Holding], of archive: Archive, to output: ZipStream) throws {
        let writer = try FileSetWriter(output: output, fileSetID: "")
        let buffer = PieceBuffer()
        for holding in holdings {
            let object: StoredObject
            do throws(ArchiveError) { object = try archive.open(holding) } catch .notFound {
                // Destroyed since it was listed.
                continue
            }
            let record = try archive.shownRecord(of: object)
            try writer.begin(
                MediaObject(
                    sopClassUID: record.sopClassUID, sopInstanceUID: record.sopInstanceUID,
                    transferSyntaxUID: holding.transferSyntaxUID, studyInstanceUID: record.studyInstanceUID,
                    seriesInstanceUID: record.seriesInstanceUID, issuerOfPatientID: record.issuer))
            try archive.write(object, through: buffer) { try writer.append($0) }
            _ = try writer.end()
        }
        _ = try writer.finish()
    }
}
