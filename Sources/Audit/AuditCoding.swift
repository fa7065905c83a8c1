/// Records as bytes: little endian, every text led by its length.
///
/// | bytes | field |
/// |---|---|
/// | 4 | bytes that follow |
/// | 8, 8 | sequence, time |
/// | 2, 1, 1 | event, outcome, kind of actor |
/// | 8 | instances, all ones for none |
/// | 2 + n, six times | name, user, institution, address, door, reason |
/// | 4 | objects |
/// | 1, 2 + n | of each object: kind, name |
enum AuditCoding {
    /// Bytes of one text; what is longer is cut at a character and marked.
    static let textLimit = 4096
    private static let smallest = 8 + 8 + 2 + 1 + 1 + 8 + 6 * 2 + 4

    static func append(_ record: AuditRecord, to bytes: inout [UInt8]) {
        let start = bytes.count
        append(UInt32(0), to: &bytes)
        append(record.sequence, to: &bytes)
        append(UInt64(bitPattern: record.time), to: &bytes)
        let entry = record.entry
        append(entry.event.rawValue, to: &bytes)
        bytes.append(entry.outcome.rawValue)
        bytes.append(entry.actor.kind.rawValue)
        append(entry.instanceCount ?? .max, to: &bytes)
        let actor = entry.actor
        for text in [actor.name, actor.user, actor.institution, actor.address, entry.door, entry.reason] {
            append(text, to: &bytes)
        }
        append(UInt32(entry.objects.count), to: &bytes)
        for object in entry.objects {
            bytes.append(object.kind.rawValue)
            append(object.name, to: &bytes)
        }
        let count = UInt32(bytes.count - start - 4)
        for index in 0..<4 { bytes[start + index] = UInt8(truncatingIfNeeded: count >> (8 * UInt32(index))) }
    }

    private static func append<T: FixedWidthInteger>(_ value: T, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        var text = text
        if text.utf8.count > textLimit {
            var kept = ""
            var count = 0
            for character in text {
                count += character.utf8.count
                if count > textLimit - 3 { break }
                kept.append(character)
            }
            text = kept + "…"
        }
        append(UInt16(text.utf8.count), to: &bytes)
        bytes.append(contentsOf: text.utf8)
    }

    /// Reads the records of one frame; nil when the bytes are none.
    static func records(_ bytes: [UInt8]) -> [AuditRecord]? {
        var reader = Reader(bytes: bytes[...])
        var result: [AuditRecord] = []
        while !reader.bytes.isEmpty {
            guard let count = reader.integer(UInt32.self), count >= smallest, count <= reader.bytes.count else {
                return nil
            }
            var body = Reader(bytes: reader.bytes.prefix(Int(count)))
            reader.bytes = reader.bytes.dropFirst(Int(count))
            guard let record = record(&body), body.bytes.isEmpty else { return nil }
            result.append(record)
        }
        return result
    }

    /// Whether so many records stand in the bytes, numbered from the first on.
    static func isInOrder(_ bytes: UnsafeRawBufferPointer, from first: UInt64, count: Int) -> Bool {
        var offset = 0
        var found = 0
        while offset < bytes.count {
            guard bytes.count - offset >= 4 + smallest else { return false }
            let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            let sequence = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt64.self))
            guard length >= smallest, length <= bytes.count - offset - 4, sequence == first &+ UInt64(found) else {
                return false
            }
            offset += 4 + length
            found += 1
        }
        return found == count
    }

    private static func record(_ body: inout Reader) -> AuditRecord? {
        guard let sequence = body.integer(UInt64.self), let time = body.integer(UInt64.self),
            let event = body.integer(UInt16.self).flatMap(AuditEvent.init(rawValue:)),
            let outcome = body.integer(UInt8.self).flatMap(AuditOutcome.init(rawValue:)),
            let kind = body.integer(UInt8.self).flatMap(AuditActor.Kind.init(rawValue:)),
            let instances = body.integer(UInt64.self), let name = body.text(), let user = body.text(),
            let institution = body.text(), let address = body.text(), let door = body.text(),
            let reason = body.text(), let count = body.integer(UInt32.self)
        else { return nil }
        // Each object takes three bytes at least.
        guard Int(count) <= body.bytes.count / 3 else { return nil }
        var objects: [AuditObject] = []
        objects.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let kind = body.integer(UInt8.self).flatMap(AuditObject.Kind.init(rawValue:)),
                let name = body.text()
            else { return nil }
            objects.append(AuditObject(kind, name))
        }
        let actor = AuditActor(kind: kind, name: name, user: user, institution: institution, address: address)
        return AuditRecord(
            sequence: sequence, time: Int64(bitPattern: time),
            entry: AuditEntry(
                event, outcome, by: actor, door: door, objects: objects,
                instanceCount: instances == .max ? nil : instances, reason: reason))
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func integer<T: FixedWidthInteger>(_ type: T.Type) -> T? {
            let count = MemoryLayout<T>.size
            guard bytes.count >= count else { return nil }
            var value: T = 0
            for (index, byte) in bytes.prefix(count).enumerated() {
                value |= T(truncatingIfNeeded: byte) << T(8 * index)
            }
            bytes = bytes.dropFirst(count)
            return value
        }

        mutating func text() -> String? {
            guard let count = integer(UInt16.self), count <= bytes.count else { return nil }
            defer { bytes = bytes.dropFirst(Int(count)) }
            return String(validating: bytes.prefix(Int(count)), as: UTF8.self)
        }
    }
}
