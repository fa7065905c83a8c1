import CZlib
import Catalog
import DICOM
import Foundation
import Testing

@testable import Archive

/// Swift Testing has tags of its own.
typealias Tag = DICOM.Tag

/// An archive in a directory of its own that goes with it.
final class ArchiveFixture: @unchecked Sendable {
    // `archive` changes in `reopen` only, which no test calls beside other threads.

    let directory: String
    private(set) var archive: Archive
    private let isOwner: Bool

    static var settings: Archive.Settings {
        var settings = Archive.Settings()
        settings.studyQuietTime = .seconds(3600)
        settings.blobs.packByteCount = 1 << 20
        settings.blobs.reserveByteCount = 0
        settings.blobs.preparedLaneCount = 0
        settings.blobs.firstPrewriteByteCount = 0
        settings.blobs.prewriteByteCount = 0
        settings.blobs.movesKeys = false
        return settings
    }

    init(_ settings: Archive.Settings = settings, under parent: String? = nil) throws {
        directory = (parent ?? FileManager.default.temporaryDirectory.path) + "/huizhen-archive-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        archive = try Self.open(directory, settings)
        isOwner = true
    }

    /// Takes over what somebody else left in a directory.
    init(opening directory: String, _ settings: Archive.Settings = settings) throws {
        self.directory = directory
        archive = try Self.open(directory, settings)
        isOwner = true
    }

    deinit {
        try? archive.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func open(_ directory: String, _ settings: Archive.Settings) throws -> Archive {
        try Archive(
            directory: directory, masterKey: .file(path: directory + "/keys/master.key"), settings: settings)
    }

    /// Closes and opens it again, as a restart does.
    ///
    /// - Parameter copyingCatalogue: where the catalogue goes while it is closed.
    @discardableResult
    func reopen(
        _ settings: Archive.Settings = settings, withoutCatalogue: Bool = false, copyingCatalogue: String? = nil
    ) throws -> Reconciliation {
        try archive.close()
        if let copyingCatalogue {
            try FileManager.default.copyItem(
                atPath: directory + "/" + Archive.catalogName, toPath: copyingCatalogue)
        }
        if withoutCatalogue { Self.removeCatalogue(directory) }
        archive = try Self.open(directory, settings)
        return archive.reconciliation
    }

    static func removeCatalogue(_ directory: String) {
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: directory + "/" + Archive.catalogName + suffix)
        }
    }

    // MARK: Storing

    @discardableResult
    func store(
        _ bytes: [UInt8], _ syntax: TransferSyntax = .explicitVRLittleEndian, from sender: Sender = .north,
        announced: String? = nil, announcedClass: String? = nil, pieces: Int = 1000
    ) throws -> StoreOutcome {
        let incoming = try archive.receive(
            from: sender, by: archive.arrival(), defaultIssuer: sender.institution, transferSyntax: syntax,
            expectedClass: announcedClass, expectedUID: announced)
        try bytes.withUnsafeBytes { buffer in
            for start in stride(from: 0, to: buffer.count, by: pieces) {
                let end = min(start + pieces, buffer.count)
                try incoming.append(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
            }
        }
        return try incoming.finish()
    }

    /// Stores a dataset as a peer sends it: with its UID announced.
    @discardableResult
    func store(
        _ dataset: Dataset, _ syntax: TransferSyntax = .explicitVRLittleEndian, from sender: Sender = .north
    ) throws -> StoreOutcome {
        try store(
            encoded(dataset, syntax), syntax, from: sender, announced: dataset.string(.sopInstanceUID),
            announcedClass: dataset.string(.sopClassUID))
    }

    // MARK: Asking

    func matches(_ level: QueryLevel, _ keys: Dataset = Dataset(), as visibility: Visibility = .everything) throws
        -> [Match]
    {
        var result: [Match] = []
        try archive.find(Query(level: level, keys: keys, visibility: visibility)) {
            result.append($0)
            return true
        }
        return result
    }

    func uids(as visibility: Visibility = .everything) throws -> [String] {
        try matches(.instance, as: visibility).compactMap { $0.attributes.string(.sopInstanceUID) }
    }

    func holding(_ uid: String) throws -> Holding {
        try #require(
            try archive.holdings(
                patientID: nil, studyInstanceUIDs: [], seriesInstanceUIDs: [], sopInstanceUIDs: [uid],
                visibility: .everything, limit: 10
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

    func content(_ uid: String) throws -> [UInt8] { try content(try holding(uid)) }

    func content(_ holding: Holding) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try archive.open(holding).forEachPiece { bytes += $0 }
        return bytes
    }

    /// Everything that can be asked, as text.
    func answers() throws -> [String] {
        var lines: [String] = []
        for visibility in [Visibility.everything, .institution("North"), .institution("South")] {
            for level in QueryLevel.allCases {
                for match in try matches(level, as: visibility) {
                    var text: [UInt8] = []
                    match.attributes.json(into: &text)
                    let holding = match.holding.map { "\($0)" } ?? ""
                    lines.append("\(visibility) \(level) " + String(decoding: text, as: UTF8.self) + holding)
                }
            }
        }
        for conflict in try archive.catalog.conflicts() { lines.append("\(conflict)") }
        lines.append("\(try archive.catalog.totals())")
        for study in ["1.2.1", "1.2.2", "1.2.3"] {
            lines.append("\(try archive.catalog.removed(studyInstanceUID: study))")
            lines.append("\(try archive.catalog.removalGuard(studyInstanceUID: study))")
        }
        return lines.sorted()
    }
}

extension Sender {
    static let north = Sender(peer: "NORTH1", institution: "North", door: "dimse")
    static let south = Sender(peer: "SOUTH1", institution: "South", door: "dimse")
}

/// A small image; what is not given follows from the number.
func image(
    _ number: Int, uid: String? = nil, study: String = "1.2.1", series: String? = nil, patient: String = "1001",
    pixels: [UInt8]? = nil, accession: String = "A7"
) -> Dataset {
    var result = Dataset()
    result.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.7")
    result.set(.sopInstanceUID, .UI, string: uid ?? "1.2.9.\(number)")
    result.set(.studyInstanceUID, .UI, string: study)
    result.set(.seriesInstanceUID, .UI, string: series ?? study + ".1")
    result.set(.patientID, .LO, string: patient)
    result.set(.patientName, .PN, string: "Wang^XiaoDong=王^小東")
    result.set(.accessionNumber, .SH, string: accession)
    result.set(.modality, .CS, string: "OT")
    result.set(.instanceNumber, .IS, string: String(number))
    result.set(.rows, .US, ints: [16])
    result.set(.columns, .US, ints: [16])
    result.set(.samplesPerPixel, .US, ints: [1])
    result.set(.bitsAllocated, .US, ints: [16])
    result.set(.pixelData, .OW, bytes: pixels ?? noise(512, seed: UInt64(number)))
    return result
}

/// A dataset's bytes in any syntax that is not encapsulated.
func encoded(_ dataset: Dataset, _ syntax: TransferSyntax) -> [UInt8] {
    let bytes = dataset.encoded(transferSyntax: syntax)
    return syntax.isDeflated ? deflated(bytes) : bytes
}

private func deflated(_ bytes: [UInt8]) -> [UInt8] {
    var stream = z_stream()
    guard huizhen_deflate_init(&stream, 6, -15) == Z_OK else { return [] }
    defer { deflateEnd(&stream) }
    var input = bytes
    return input.withUnsafeMutableBufferPointer { input in
        [UInt8](unsafeUninitializedCapacity: input.count + 1024) { output, count in
            stream.next_in = input.baseAddress
            stream.avail_in = UInt32(input.count)
            stream.next_out = output.baseAddress
            stream.avail_out = UInt32(output.count)
            deflate(&stream, Z_FINISH)
            count = Int(stream.total_out)
        }
    }
}

/// Bytes that look like nothing and are the same every time.
func noise(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}

/// Runs a body on threads of its own, and returns when all are done.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let done = DispatchSemaphore(value: 0)
    for index in 0..<count {
        let thread = Thread {
            body(index)
            done.signal()
        }
        thread.start()
    }
    for _ in 0..<count { done.wait() }
}

/// Expects an archive's error of one case, whatever it carries.
func expectError(_ name: String, sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void) {
    do {
        try body()
        Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    } catch let error as ArchiveError {
        #expect(error.caseName == name, sourceLocation: sourceLocation)
    } catch { Issue.record("\(error)", sourceLocation: sourceLocation) }
}

extension ArchiveError {
    fileprivate var caseName: String {
        switch self {
        case .full: "full"
        case .bound: "bound"
        case .unreadable: "unreadable"
        case .unidentified: "unidentified"
        case .unwanted: "unwanted"
        case .damaged: "damaged"
        case .notFound: "notFound"
        case .held: "held"
        case .accessionNumberDiffers: "accessionNumberDiffers"
        case .notTranscodable: "notTranscodable"
        case .transcodingFailed: "transcodingFailed"
        case .coderFailed: "coderFailed"
        case .correction: "correction"
        case .notRecorded: "notRecorded"
        case .custody: "custody"
        case .closed: "closed"
        case .blobs: "blobs"
        case .catalog: "catalog"
        case .keys: "keys"
        }
    }
}
