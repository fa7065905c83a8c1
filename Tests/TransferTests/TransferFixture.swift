import Access
import Archive
import Audit
import Catalog
import DICOM
import Foundation
import HTTP
import Keys
import Telemetry
import Testing

@testable import Transfer

/// Swift Testing has tags of its own.
typealias Tag = DICOM.Tag

/// A site in this process without its door: an archive, what is known of transfers, and what arrives.
final class TransferFixture: @unchecked Sendable {
    // `arrivals` changes in `restart` only, which no test calls beside other threads.

    let directory: String
    let archive: Archive
    let access: Access
    let identity: SiteIdentity
    let table: TransferTable
    let registry = Registry()
    let metrics: TransferMetrics
    private(set) var arrivals: Arrivals
    let permit = Permit(
        kind: .peer, aeTitle: "NORTH", services: [.store, .get], roles: [.system], institution: "North",
        issuer: "NORTH")

    /// - Parameter other: what the files are copied of, as a kill at this moment leaves them.
    init(copying other: TransferFixture? = nil) throws {
        directory = FileManager.default.temporaryDirectory.path + "/huizhen-transfer-" + UUID().uuidString
        if let other {
            try FileManager.default.copyItem(atPath: other.directory, toPath: directory)
        } else {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }
        var settings = Archive.Settings()
        settings.studyQuietTime = .seconds(3600)
        settings.blobs.packByteCount = 1 << 20
        settings.blobs.reserveByteCount = 0
        settings.blobs.preparedLaneCount = 0
        settings.blobs.firstPrewriteByteCount = 0
        settings.blobs.prewriteByteCount = 0
        archive = try Archive(
            directory: directory, masterKey: .file(path: directory + "/keys/master.key"), settings: settings)
        access = try Access(
            path: directory + "/access.sqlite", key: archive.systemKey(purpose: "access"),
            settings: .init(aeTitle: "HUIZHEN", institution: "Home", issuer: "HOME", isOpenToUnknownPeers: false),
            audit: try AuditLog(
                directory: directory + "/audit", key: archive.systemKey(purpose: "audit"),
                signer: SigningKey(seed: archive.systemKey(purpose: "audit signature"))))
        let files = try SelfSignedCertificate.files(in: directory + "/site", for: .site("HOME"))
        identity = try SiteIdentity(name: "HOME", certificateFile: files.certificate, keyFile: files.key)
        table = try TransferTable(
            path: directory + "/transfers.sqlite", key: archive.systemKey(purpose: "transfers"))
        metrics = TransferMetrics(registry)
        arrivals = Arrivals(archive: archive, access: access, table: table, identity: identity, metrics: metrics)
    }

    deinit {
        try? table.close()
        try? archive.close()
        try? access.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Forgets everything that a restart forgets.
    func restart() {
        arrivals = Arrivals(archive: archive, access: access, table: table, identity: identity, metrics: metrics)
    }

    func arriving(_ id: TransferID, study: String = "1.2.1") throws -> ArrivingTransfer {
        try arrivals.transfer(id, study: study, permit: permit, isOurs: false)
    }

    /// Stores objects of a study and gives them as they go out.
    func outgoing(_ images: [Dataset], study: String = "1.2.1") throws -> OutgoingStudy {
        for image in images {
            let incoming = try archive.receive(
                from: Sender(peer: "CT1", institution: "North", door: "dimse"), by: archive.arrival(),
                defaultIssuer: "NORTH", transferSyntax: .explicitVRLittleEndian, expectedClass: nil, expectedUID: nil)
            try image.encoded(transferSyntax: .explicitVRLittleEndian).withUnsafeBytes { try incoming.append($0) }
            #expect(try incoming.finish() == .stored)
        }
        let series = try archive.series(ofStudy: study, visibility: .everything, limit: 1000)
        return OutgoingStudy(SendingOrder.ordered(series), archive: archive, release: nil)
    }

    func holding(_ uid: String) throws -> Holding {
        try #require(
            try archive.holdings(
                patientID: nil, studyInstanceUIDs: [], seriesInstanceUIDs: [], sopInstanceUIDs: [uid],
                visibility: .everything, limit: 1
            ).first)
    }

    /// Changes a byte in the middle of what is held of an object of some 20,000 bytes.
    func damage(_ uid: String) throws {
        let holding = try holding(uid)
        let name = String(format: "pack-%08x.hzp", holding.pack)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: directory + "/blobs/" + name))
        defer { try? file.close() }
        try file.seek(toOffset: holding.byteOffset + 9000)
        let byte = try #require(try file.read(upToCount: 1))
        try file.seek(toOffset: holding.byteOffset + 9000)
        try file.write(contentsOf: Data(byte.map { $0 ^ 1 }))
    }

    /// Packs that end with a place for what comes in pieces: byte 10 of its header says so.
    var reservedPackCount: Int {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory + "/blobs")) ?? []
        return names.count { name in
            let bytes = (try? Data(contentsOf: URL(fileURLWithPath: directory + "/blobs/" + name))) ?? Data()
            return name.hasSuffix(".hzp")
                && stride(from: 0, to: bytes.count, by: 4096).contains { start in
                    bytes.dropFirst(start).starts(with: Array("HZBLOB01".utf8)) && bytes[start + 10] == 3
                }
        }
    }

    /// Transfers that came to their end here, as the metrics say.
    var completed: UInt64 {
        registry.counter(
            "huizhen_transfers_completed", help: "", labels: ["site": permit.aeTitle, "direction": "receiving"]
        ).value
    }

    var shown: Int { (try? archive.catalog.totals().instances) ?? -1 }
}

/// An image of so many bytes of pixels.
func image(_ number: Int, pixels: Int = 512, seed: UInt8 = 0, study: String = "1.2.1") -> Dataset {
    var result = Dataset()
    result.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.7")
    result.set(.sopInstanceUID, .UI, string: "1.2.9.\(number)")
    result.set(.studyInstanceUID, .UI, string: study)
    result.set(.seriesInstanceUID, .UI, string: study + ".1")
    result.set(.patientID, .LO, string: "1001")
    result.set(.modality, .CS, string: "OT")
    result.set(.instanceNumber, .IS, string: String(number))
    result.set(.rows, .US, ints: [16])
    result.set(.columns, .US, ints: [pixels / 32])
    result.set(.samplesPerPixel, .US, ints: [1])
    result.set(.bitsAllocated, .US, ints: [16])
    result.set(.pixelData, .OW, bytes: (0..<pixels).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) ^ seed })
    return result
}
