import Access
import Archive
import Audit
import Catalog
import DICOM
import Foundation
import Keys
import Logging
import Queue
import Release
import Synchronization
import Telemetry
import Testing
import Toolkit

@testable import DIMSE

/// A service in this process, on a port of its own on loopback.
final class DIMSEFixture: @unchecked Sendable {
    // Nothing changes after `init`.

    let directory: String
    let archive: Archive
    let queue: JobQueue
    let access: Access
    let server: DIMSEServer
    let registry = Registry()
    /// Bytes of objects that the service has received so far.
    var receivedByteCount: UInt64 { DIMSEMetrics(registry).bytesReceived.value }
    let port: UInt16
    let aeTitle: String

    static var timeouts: AssociationTimeouts {
        AssociationTimeouts(artim: .seconds(5), idle: .seconds(20), pdu: .seconds(10), connect: .seconds(5))
    }

    init(aeTitle: String = "HUIZHEN", isOpen: Bool = true, _ change: (inout DIMSESettings) -> Void = { _ in }) throws {
        self.aeTitle = aeTitle
        directory = FileManager.default.temporaryDirectory.path + "/huizhen-dimse-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        var archiveSettings = Archive.Settings()
        archiveSettings.studyQuietTime = .seconds(3600)
        archiveSettings.blobs.packByteCount = 1 << 20
        archiveSettings.blobs.reserveByteCount = 0
        archiveSettings.blobs.preparedLaneCount = 0
        archiveSettings.blobs.firstPrewriteByteCount = 0
        archiveSettings.blobs.prewriteByteCount = 0
        archive = try Archive(
            directory: directory, masterKey: .file(path: directory + "/keys/master.key"), settings: archiveSettings)
        access = try Access(
            path: directory + "/access.sqlite", key: archive.systemKey(purpose: "access"),
            settings: .init(aeTitle: aeTitle, institution: "Home", issuer: "HOME", isOpenToUnknownPeers: isOpen),
            audit: try AuditLog(
                directory: directory + "/audit", key: archive.systemKey(purpose: "audit"),
                signer: SigningKey(seed: archive.systemKey(purpose: "audit signature"))))
        var settings = DIMSESettings()
        settings.addresses = ["127.0.0.1"]
        settings.port = 0
        settings.timeouts = Self.timeouts
        settings.stopTimeout = .seconds(2)
        change(&settings)
        queue = try JobQueue(path: directory + "/queue.sqlite", key: archive.systemKey(purpose: "queue"))
        server = DIMSEServer(
            archive: archive, access: access, queue: queue,
            releases: Releases(archive: archive) { _ in throw CocoaError(.fileNoSuchFile) }, settings: settings,
            metrics: DIMSEMetrics(registry),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        port = try server.start().plain
    }

    deinit {
        server.stop()
        try? queue.close()
        try? archive.close()
        try? access.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    // MARK: As a client

    func target(as calling: String = "TEST", called: String? = nil) -> Requester.Target {
        Requester.Target(
            host: "127.0.0.1", port: port, calledAETitle: called ?? aeTitle, callingAETitle: calling,
            timeouts: Self.timeouts)
    }

    func requester(
        _ sopClasses: [String], as calling: String = "TEST", called: String? = nil,
        receiving: [(sopClass: String, syntaxes: [String])] = []
    ) throws -> Requester {
        try Requester(target(as: calling, called: called), sopClasses: sopClasses, receiving: receiving)
    }

    /// This service as others know it.
    func peer(associations: Int = 2) -> Peer {
        Peer(
            aeTitle: aeTitle, addresses: ["127.0.0.1"], port: port, institution: "Other", issuer: "OTHER",
            associations: associations)
    }

    /// Knows another institution's service, to which objects may go.
    func befriend(_ peer: Peer) throws {
        try access.add(peer)
        try access.approve(Destination(name: peer.aeTitle, because: "contract 7"), by: .localOperator("root"))
    }

    /// Lets a caller in by name.
    func know(
        _ title: String, _ services: Set<Peer.Service> = Set(Peer.Service.allCases), institution: String = "North"
    ) throws {
        try access.add(
            Peer(
                aeTitle: title, addresses: ["127.0.0.1"], services: services, institution: institution,
                issuer: institution))
    }

    /// Sends objects here by C-STORE and waits for the end.
    @discardableResult
    func send(_ items: [any SendItem], as calling: String = "TEST", associations: Int = 2) -> SendRun {
        let run = ObjectSender(aeTitle: calling, timeouts: Self.timeouts, metrics: nil)
            .start(items, to: peer(associations: associations))
        run.wait()
        return run
    }

    func find(
        _ keys: Dataset, model: Requester.Model = .studyRoot, as calling: String = "TEST"
    ) throws -> (status: Status, matches: [Dataset]) {
        let sopClass = model == .studyRoot ? SOPClass.studyRootFind : SOPClass.patientRootFind
        let requester = try requester([sopClass], as: calling)
        defer { requester.close() }
        var matches: [Dataset] = []
        let status = try requester.find(keys, model: model) {
            matches.append($0)
            return true
        }
        return (status, matches)
    }

    // MARK: As the operator

    var uids: [String] {
        get throws {
            var result: [String] = []
            try archive.find(Query(level: .instance, keys: Dataset(), visibility: .everything)) {
                result.append($0.attributes.string(.sopInstanceUID) ?? "")
                return true
            }
            return result.sorted()
        }
    }

    func content(_ uid: String) throws -> [UInt8] {
        let holding = try #require(
            try archive.holdings(
                patientID: nil, studyInstanceUIDs: [], seriesInstanceUIDs: [], sopInstanceUIDs: [uid],
                visibility: .everything, limit: 1
            ).first)
        var bytes: [UInt8] = []
        try archive.open(holding).forEachPiece { bytes += $0 }
        return bytes
    }

    /// A metric's value, by its name and labels as they are written.
    func metric(_ name: String) -> Int? {
        registry.exposition().split(separator: "\n").first { $0.hasPrefix(name + " ") }
            .flatMap { Int($0.dropFirst(name.count + 1)) }
    }
}

/// An object in memory.
struct TestObject: SendItem {
    static let sopClass = "1.2.840.10008.5.1.4.1.1.7"

    var sopClassUID: String
    var sopInstanceUID: String
    var transferSyntaxUID = TransferSyntax.explicitVRLittleEndian.uid
    var bytes: [UInt8]

    /// - Parameter byteCount: of its pixels.
    init(
        _ number: Int, study: String = "1.2.1", patient: String = "1001", byteCount: Int = 512,
        sopClass: String = Self.sopClass
    ) {
        sopClassUID = sopClass
        sopInstanceUID = "1.2.9.\(number)"
        var header = Dataset()
        header.set(.sopClassUID, .UI, string: sopClassUID)
        header.set(.sopInstanceUID, .UI, string: sopInstanceUID)
        header.set(.studyInstanceUID, .UI, string: study)
        header.set(.seriesInstanceUID, .UI, string: study + ".1")
        header.set(.patientID, .LO, string: patient)
        header.set(.patientName, .PN, string: "Wang^XiaoDong=王^小東")
        header.set(.modality, .CS, string: "OT")
        header.set(.instanceNumber, .IS, string: String(number))
        header.set(.pixelData, .OW, bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: byteCount))
        bytes = header.encoded(transferSyntax: .explicitVRLittleEndian)
    }

    var byteCount: UInt64 { UInt64(bytes.count) }

    func forEachPiece(through _: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try bytes.withUnsafeBytes { buffer in
            for start in stride(from: 0, to: buffer.count, by: 100_000) {
                try body(UnsafeRawBufferPointer(rebasing: buffer[start..<min(start + 100_000, buffer.count)]))
            }
        }
    }
}

/// An object that passes through a gate half way.
struct SlowObject: SendItem {
    let whole: TestObject
    /// Called when half is out.
    let halfway: @Sendable () throws -> Void

    var sopClassUID: String { whole.sopClassUID }
    var sopInstanceUID: String { whole.sopInstanceUID }
    var transferSyntaxUID: String { whole.transferSyntaxUID }

    var byteCount: UInt64 { whole.byteCount }

    func forEachPiece(through _: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try whole.bytes.withUnsafeBytes { buffer in
            let half = buffer.count / 4 * 2
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<half]))
            try halfway()
            try body(UnsafeRawBufferPointer(rebasing: buffer[half...]))
        }
    }
}

/// Keys of a query; VRs as the dictionary has them.
func keys(_ level: String, _ values: [Tag: String] = [:]) -> Dataset {
    var result = Dataset()
    result.set(.queryRetrieveLevel, .CS, string: level)
    for (tag, value) in values { result.set(tag, Dictionary.vr(of: tag) ?? .LO, string: value) }
    return result
}

/// Expects that the other side refuses the association.
func expectRejection(
    _ rejection: Rejection, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) {
    do {
        try body()
        Issue.record("was accepted", sourceLocation: sourceLocation)
    } catch DIMSEError.association(.rejected(let found)) {
        #expect(found == rejection, sourceLocation: sourceLocation)
    } catch { Issue.record("\(error)", sourceLocation: sourceLocation) }
}

/// Waits until something holds, for at most ten seconds.
func eventually(_ condition: () throws -> Bool) rethrows -> Bool {
    for _ in 0..<1000 {
        if try condition() { return true }
        Thread.sleep(forTimeInterval: 0.01)
    }
    return false
}
