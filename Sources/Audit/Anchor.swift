import Foundation
import Glibc
import Keys

/// How far the log had come at some time, signed: kept elsewhere, it proves that nothing before it was changed or cut.
public struct AuditAnchor: Sendable, Equatable {
    /// Records up to it.
    public var count: UInt64
    /// The head of the chain after them, 32 bytes.
    public var head: [UInt8]
    /// Milliseconds since 1970.
    public var time: Int64
    /// Of the statement, by the key whose public half is beside it.
    public var signature: [UInt8]
    public var publicKey: [UInt8]

    static func statement(count: UInt64, head: [UInt8], time: Int64) -> [UInt8] {
        Array("huizhen audit anchor 1 Ed25519 SHA-256 \(count) \(head.hexadecimal) \(time)".utf8)
    }

    public var isSigned: Bool {
        SigningKey.isValid(
            signature, of: Self.statement(count: count, head: head, time: time), publicKey: publicKey)
    }

    /// One line without its end: what `init(line:)` reads.
    public var line: String {
        "huizhen-audit-anchor 1 \(count) \(head.hexadecimal) \(time) \(signature.hexadecimal) "
            + publicKey.hexadecimal
    }

    init(count: UInt64, head: [UInt8], time: Int64, signer: SigningKey) throws(KeyError) {
        self.count = count
        self.head = head
        self.time = time
        signature = try signer.signature(of: Self.statement(count: count, head: head, time: time))
        publicKey = try signer.publicKey()
    }

    /// - Throws: `.badAnchor` for what is none.
    public init(line: String) throws(AuditError) {
        let words = line.split(separator: " ")
        guard words.count == 7, words[0] == "huizhen-audit-anchor", words[1] == "1", let count = UInt64(words[2]),
            let head = [UInt8](hexadecimal: words[3]), head.count == SHA256Digest.byteCount,
            let time = Int64(words[4]), let signature = [UInt8](hexadecimal: words[5]),
            signature.count == SigningKey.signatureByteCount, let publicKey = [UInt8](hexadecimal: words[6]),
            publicKey.count == SigningKey.publicKeyByteCount
        else { throw .badAnchor("a line is no anchor") }
        self.count = count
        self.head = head
        self.time = time
        self.signature = signature
        self.publicKey = publicKey
        guard isSigned else { throw .badAnchor("a signature is not good") }
    }
}

extension AuditLog {
    /// Signs how far the log is and appends it to the file of anchors.
    ///
    /// - Returns: nil when nothing came since the last one of this run.
    public func anchor(at now: Date = Date()) throws(AuditError) -> AuditAnchor? {
        let position = try settledPosition()
        guard position.nextSequence > 1, anchors.isNew(position.nextSequence - 1) else { return nil }
        let anchor = try AuditError.unlocking { () throws(KeyError) in
            try AuditAnchor(
                count: position.nextSequence - 1, head: position.head,
                time: Int64(now.timeIntervalSince1970 * 1000), signer: signer)
        }
        try anchors.append(anchor)
        return anchor
    }

    /// The anchors beside the log that count more records than this, in order. Looks into the file only after one was
    /// made, and then at its end.
    public func anchors(after count: UInt64) throws(AuditError) -> [AuditAnchor] { try anchors.read(after: count) }

    /// The half of the signing key that everybody may know: with it anchors are checked elsewhere.
    public func publicKey() throws(AuditError) -> [UInt8] {
        try AuditError.unlocking { () throws(KeyError) in try signer.publicKey() }
    }
}

/// The anchors that stay beside the log, one a line.
final class AnchorFile: @unchecked Sendable {  // all state is behind the gate
    /// Bytes that are read of it: about a million anchors.
    static let byteCountLimit = 512 << 20
    /// Bytes of its end that are read at first, for the last anchors.
    private static let tailByteCount: UInt64 = 16 << 10

    private let path: String
    private let gate = ConditionLock()
    private var lastCount: UInt64 = 0
    /// Of the file; nil before the first look.
    private var newestCount: UInt64?

    init(path: String) { self.path = path }

    /// Those that count more records than this.
    func read(after count: UInt64) throws(AuditError) -> [AuditAnchor] {
        if let newest = gate.locked({ newestCount }), newest <= count { return [] }
        guard access(path, F_OK) == 0 else { return [] }
        var wanted = Self.tailByteCount
        while true {
            let (bytes, isWhole) = try AuditError.wrapping { () throws(SystemFailure) in
                let file = try OpenFile(path, flags: O_RDONLY)
                let size = try file.byteCount()
                let start = size - min(size, wanted)
                return (try file.read(count: Int(size - start), at: start), start == 0)
            }
            var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            lines.removeLast()
            if !isWhole, !lines.isEmpty { lines.removeFirst() }
            var found: [AuditAnchor] = []
            for line in lines { found.append(try AuditAnchor(line: String(decoding: line, as: UTF8.self))) }
            guard isWhole || (found.first.map { $0.count <= count } ?? false) || wanted >= Self.byteCountLimit else {
                wanted *= 8
                continue
            }
            if let last = found.last { gate.locked { newestCount = max(newestCount ?? 0, last.count) } }
            return found.filter { $0.count > count }
        }
    }

    func isNew(_ count: UInt64) -> Bool { gate.locked { count > lastCount } }

    func append(_ anchor: AuditAnchor) throws(AuditError) {
        try gate.locked { () throws(AuditError) in
            try anchor.append(to: path)
            lastCount = anchor.count
            newestCount = max(newestCount ?? 0, anchor.count)
        }
    }

    func read() throws(AuditError) -> [AuditAnchor] {
        guard access(path, F_OK) == 0 else { return [] }
        return try AuditAnchor.read(path: path)
    }
}

extension AuditAnchor {
    /// Adds a line to a file, which is made if it is not there; on the disk when it returns.
    public func append(to path: String) throws(AuditError) {
        try AuditError.wrapping { () throws(SystemFailure) in
            let file = try OpenFile(path, flags: O_WRONLY | O_CREAT)
            try file.write(Array((line + "\n").utf8), at: file.byteCount())
            try file.syncData()
        }
    }

    /// The anchors of a file: one a line, other lines of a log around them allowed to lead them. A last line that was
    /// not finished is passed over.
    ///
    /// - Throws: `.badAnchor` when a line is broken or its signature is not good, `.io`.
    public static func read(path: String) throws(AuditError) -> [AuditAnchor] {
        let file = try AuditError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDONLY) }
        var anchors: [AuditAnchor] = []
        var line: [UInt8] = []
        var offset: UInt64 = 0
        while true {
            let place = offset
            let piece = try AuditError.wrapping { () throws(SystemFailure) in
                try file.read(count: pieceByteCount, at: place)
            }
            if piece.isEmpty { break }
            offset += UInt64(piece.count)
            var parts = piece.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
            while parts.count > 1, let part = parts.popFirst() {
                line += part
                if let anchor = try anchor(in: line) { anchors.append(anchor) }
                line.removeAll(keepingCapacity: true)
            }
            line += parts.first ?? []
            // No line of ours is as long.
            if line.count > pieceByteCount { line.removeFirst(line.count - 4096) }
        }
        return anchors
    }

    private static let pieceByteCount = 1 << 20

    private static func anchor(in line: [UInt8]) throws(AuditError) -> AuditAnchor? {
        let text = String(decoding: line, as: UTF8.self)
        guard let start = text.range(of: "huizhen-audit-anchor ") else { return nil }
        return try AuditAnchor(line: String(text[start.lowerBound...]))
    }
}
