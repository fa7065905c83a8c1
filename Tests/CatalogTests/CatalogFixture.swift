import DICOM
import Database
import Foundation
import Testing

@testable import Catalog

/// Swift Testing has tags of its own.
typealias Tag = DICOM.Tag

/// A catalogue in a file of its own that goes with it.
final class CatalogFixture: @unchecked Sendable {
    // `catalog` changes in `reopen` only, which no test calls beside other threads.

    let directory: String
    private(set) var catalog: Catalog

    var path: String { directory + "/catalog.sqlite" }

    /// - Parameters:
    ///   - parent: where its directory is made.
    ///   - ampleByteCount: as of `Catalog`.
    init(
        privates: PrivatePolicy = .none, under parent: String = FileManager.default.temporaryDirectory.path,
        ampleByteCount: UInt64 = Catalog.ampleByteCount
    ) throws {
        directory = parent + "/huizhen-catalog-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        catalog = try Catalog(path: directory + "/catalog.sqlite", privates: privates, ampleByteCount: ampleByteCount)
    }

    deinit {
        try? catalog.close()
        try? FileManager.default.removeItem(atPath: directory)
    }

    func reopen(privates: PrivatePolicy = .none) throws {
        try catalog.close()
        catalog = try Catalog(path: path, privates: privates)
    }

    /// Puts a record in whose bytes are on the disk.
    @discardableResult
    func put(_ record: InstanceRecord, key: [UInt8] = [1]) throws -> Catalog.Outcome {
        let ticket = catalog.submit(record, pack: 1, byteOffset: record.sequence * 4096, studyKey: key)
        catalog.confirm(ticket)
        return try catalog.outcome(of: ticket)
    }

    func matches(
        _ level: QueryLevel, _ keys: Dataset = Dataset(), as visibility: Visibility = .everything,
        limit: Int? = nil, offset: Int = 0, options: MatchingOptions = MatchingOptions()
    ) throws -> [Match] {
        var result: [Match] = []
        let query = Query(
            level: level, keys: keys, visibility: visibility, limit: limit, offset: offset, options: options)
        try catalog.find(query) {
            result.append($0)
            return true
        }
        return result
    }

    /// The values of one attribute of each match, in their order.
    func found(
        _ level: QueryLevel, _ keys: Dataset = Dataset(), as visibility: Visibility = .everything, _ tag: Tag? = nil,
        limit: Int? = nil, offset: Int = 0, options: MatchingOptions = MatchingOptions()
    ) throws -> [String] {
        let unique: [QueryLevel: Tag] = [
            .patient: .patientID, .study: .studyInstanceUID, .series: .seriesInstanceUID, .instance: .sopInstanceUID,
        ]
        return try matches(level, keys, as: visibility, limit: limit, offset: offset, options: options)
            .map { $0.attributes.string(tag ?? unique[level] ?? .patientID) ?? "-" }
    }

    /// Every row of every table, as text.
    func dump() throws -> [String] { try Self.dump(catalog) }

    static func dump(_ catalog: Catalog) throws -> [String] {
        try catalog.settle()
        return try catalog.select { connection throws(DatabaseError) in
            var tables: [(name: String, columns: [String])] = []
            try connection.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
                row throws(DatabaseError) in
                tables.append((row.text(0) ?? "", []))
                return true
            }
            var lines: [String] = []
            for table in tables where !table.name.hasPrefix("sqlite_") {
                var columns: [String] = []
                try connection.query("SELECT name FROM pragma_table_info('\(table.name)')") {
                    row throws(DatabaseError) in
                    columns.append("quote(\(row.text(0) ?? ""))")
                    return true
                }
                let list = columns.joined(separator: " || ',' || ")
                try connection.query("SELECT \(list) FROM \(table.name) ORDER BY 1") { row throws(DatabaseError) in
                    lines.append(table.name + ": " + (row.text(0) ?? ""))
                    return true
                }
            }
            return lines
        }
    }
}

extension Sender {
    static let north = Sender(peer: "NORTH1", institution: "North", door: "dimse")
    static let south = Sender(peer: "SOUTH1", institution: "South", door: "dimse")
}

/// A dataset of attributes given by tag; VRs as the dictionary has them.
func keys(_ values: [Tag: String]) -> Dataset {
    var result = Dataset()
    for (tag, value) in values {
        result.set(tag, Dictionary.vr(of: tag) ?? .LO, strings: value.isEmpty ? [] : [value])
    }
    return result
}

/// The record of a CT object.
///
/// - Parameter number: names the object: sequence, instance number and UID follow from it.
func record(
    _ number: UInt64, uid: String? = nil, study: String = "1.2.1", series: String? = nil, patient: String = "1001",
    from sender: Sender = .north, issuer: String? = nil, at: Int64? = nil, policy: DifferingContentPolicy = .keep,
    modality: String = "CT", sopClass: String = "1.2.840.10008.5.1.4.1.1.2", _ more: [Tag: String] = [:],
    sequences: [Tag: [Dataset]] = [:]
) -> InstanceRecord {
    var header = keys([
        .patientID: patient, .patientName: "Doe^John", .studyInstanceUID: study,
        .seriesInstanceUID: series ?? study + ".1", .modality: modality, .instanceNumber: String(number),
    ])
    for (tag, value) in more { header.set(tag, Dictionary.vr(of: tag) ?? .LO, strings: [value]) }
    for (tag, items) in sequences { header.set(tag, .SQ, items: items) }
    return InstanceRecord(
        sequence: number, header: header, sopInstanceUID: uid ?? "1.2.9.\(number)", sopClassUID: sopClass,
        defaultIssuer: issuer ?? sender.institution, transferSyntaxUID: "1.2.840.10008.1.2.1", byteCount: 1000 + number,
        digest: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32), sender: sender,
        receivedAt: at ?? Int64(number) * 1000, policy: policy, pixelDataLayout: [],
        placeholderUID: { "2.25.\($0.utf8.count)" })
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
