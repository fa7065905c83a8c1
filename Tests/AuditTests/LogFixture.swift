import Foundation
import Keys

@testable import Audit

/// A log in a directory of its own, which goes with it.
final class LogFixture {
    let directory: String
    let key: SymmetricKey
    let signer: SigningKey
    var settings = AuditLog.Settings()
    private(set) var log: AuditLog

    init(segmentByteCount: Int = 16 << 20) throws {
        directory = NSTemporaryDirectory() + "huizhen-audit-" + UUID().uuidString
        key = try SymmetricKey.random()
        signer = SigningKey(seed: try SymmetricKey.random())
        settings.segmentByteCount = segmentByteCount
        settings.reserveByteCount = 64 << 10
        log = try AuditLog(directory: directory, key: key, signer: signer, settings: settings)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// As a restart: nothing of the former run but its files.
    func reopen() throws { log = try AuditLog(directory: directory, key: key, signer: signer, settings: settings) }

    func entry(_ number: Int, _ event: AuditEvent = .accessed) -> AuditEntry {
        AuditEntry(
            event,
            by: AuditActor(
                kind: .peer, name: "SCANNER\(number % 7)", institution: "三亚", address: "10.1.0.\(number % 250)"),
            door: "dimse", objects: [AuditObject(.study, "1.2.3.\(number)"), AuditObject(.patient, "P\(number % 10)")],
            instanceCount: UInt64(number), reason: "")
    }

    func fill(_ count: Int, from first: Int = 1) throws {
        for number in first..<first + count { try log.append([entry(number)]) }
    }

    func path(_ segment: UInt64) -> String { directory + "/" + SegmentHeader.fileName(segment) }

    func bytes(_ segment: UInt64) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(segment)))) }

    func write(_ bytes: [UInt8], _ segment: UInt64) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path(segment)))
    }

    func all(_ query: AuditQuery = AuditQuery(limit: 1_000_000, isNewestFirst: false)) throws -> [AuditRecord] {
        var found: [AuditRecord] = []
        try log.search(query) {
            found.append($0)
            return true
        }
        return found
    }

    /// Places and lengths of a segment's frames, by their heads.
    func frames(_ segment: UInt64) throws -> [Range<Int>] {
        let bytes = try bytes(segment)
        var offset = SegmentHeader.byteCount
        var frames: [Range<Int>] = []
        while offset < bytes.count {
            let head = try require(Array(bytes[offset...]).withUnsafeBytes { AuditFrame.Head($0) })
            frames.append(offset..<offset + head.frameByteCount)
            offset += head.frameByteCount
        }
        return frames
    }

    private func require<T>(_ value: T?) throws -> T {
        guard let value else { throw AuditError.closed }
        return value
    }
}
