@testable import SFTP

/// The client's side, and a tree that answers from memory.
final class Client {
    struct Answer: Equatable {
        var kind: UInt8
        var id: UInt32
        var fields: FieldReader
        /// Of a status.
        var status: SFTPStatus?
        var text = ""

        static func == (a: Answer, b: Answer) -> Bool { a.kind == b.kind && a.id == b.id && a.status == b.status }
    }

    static let study = OpaqueName(0x0123_4567_89AB_CDEF)
    static let series = OpaqueName(1)
    static let object = OpaqueName(UInt64.max)
    static let objectPath = "/studies/\(study)/\(series)/\(object).dcm"

    var conversation = Conversation()
    /// What was stored, in order.
    private(set) var stored: [[UInt8]] = []
    private(set) var dropped: [UInt64] = []
    private(set) var operations: [String] = []
    var content: [UInt8] = Array(0..<100)
    /// What the next operation fails with.
    var failure: (SFTPStatus, String)?
    private var taken: [UInt64: [UInt8]] = [:]
    private var listed: [UInt64: [FileEntry]] = [:]
    private var nextID: UInt32 = 100

    /// One that has said its version.
    static func begun() throws -> Client {
        let client = Client()
        _ = try client.exchange([PacketKind.begin, 0, 0, 0, 3])
        return client
    }

    /// Sends a packet and gives the answer, its length and kind taken off.
    func exchange(_ packet: [UInt8]) throws -> [UInt8] {
        switch try conversation.take(packet[...]) {
        case .answer(let answer): return answer
        case .perform(let operation):
            let outcome = perform(operation)
            return conversation.conclude(outcome)
        }
    }

    func ask(_ kind: UInt8, _ fields: [Field]) throws -> Answer {
        nextID += 1
        var packet = PacketWriter(kind, id: nextID)
        for field in fields { field.add(to: &packet) }
        let bytes = try exchange(Array(packet.finished().dropFirst(4)))
        var reader = FieldReader(bytes[...])
        guard Int(try reader.uint32()) == bytes.count - 4 else { throw SFTPError.malformed }
        let answered = try reader.uint8()
        guard try reader.uint32() == nextID else { throw SFTPError.outOfOrder }
        var answer = Answer(kind: answered, id: nextID, fields: reader)
        if answered == PacketKind.status {
            answer.status = SFTPStatus(rawValue: try reader.uint32())
            answer.text = String(decoding: try reader.string(), as: UTF8.self)
        }
        return answer
    }

    private func perform(_ operation: FileOperation) -> FileOutcome {
        operations.append("\(operation)".prefix { $0 != "(" }.description)
        if let (status, text) = failure {
            failure = nil
            if case .drop(let slot) = operation { dropped.append(slot) }
            return .failed(status, text)
        }
        switch operation {
        case .look(let place): return .attributes(place == .index ? .file(nil) : .file(UInt64(content.count)))
        case .list(_, let slot):
            listed[slot] = (0..<150).map { OpaqueName($0).directoryEntry }
            return .done
        case .nextEntries(let slot):
            let entries = listed[slot] ?? []
            listed[slot] = Array(entries.dropFirst(Conversation.entryLimit))
            return .entries(Array(entries.prefix(Conversation.entryLimit)))
        case .open: return .attributes(.file(UInt64(content.count)))
        case .read(_, let offset, let byteCount):
            guard offset < UInt64(content.count) else { return .data([]) }
            return .data(Array(content.dropFirst(Int(offset)).prefix(byteCount)))
        case .begin(let slot): taken[slot] = []
        case .append(let slot, let pieces): for piece in pieces { taken[slot]?.append(contentsOf: piece) }
        case .finish(let slot): if let bytes = taken.removeValue(forKey: slot) { stored.append(bytes) }
        case .drop(let slot):
            dropped.append(slot)
            taken[slot] = nil
            listed[slot] = nil
        }
        return .done
    }
}

/// One field of a request.
enum Field {
    case number(UInt32)
    case long(UInt64)
    case text(String)
    case bytes([UInt8])
    case attributes(FileAttributes)
    case raw([UInt8])

    func add(to packet: inout PacketWriter) {
        switch self {
        case .number(let number): packet.add(number)
        case .long(let number): packet.add(number)
        case .text(let text): packet.add(text)
        case .bytes(let bytes): packet.add(bytes)
        case .attributes(let attributes): packet.add(attributes)
        case .raw(let bytes): packet.add(raw: bytes)
        }
    }
}

extension Client {
    static let put: OpenFlags = [.write, .create, .truncate]

    func open(_ path: String, _ flags: OpenFlags) throws -> Answer {
        try ask(PacketKind.open, [.text(path), .number(flags.rawValue), .attributes(FileAttributes())])
    }

    /// Opens what must open.
    func handle(_ path: String, _ flags: OpenFlags) throws -> Field {
        var answer = try open(path, flags)
        guard answer.kind == PacketKind.handle else { throw SFTPError.malformed }
        return .bytes(Array(try answer.fields.string()))
    }

    func directory(_ path: String) throws -> Field {
        var answer = try ask(PacketKind.openDirectory, [.text(path)])
        guard answer.kind == PacketKind.handle else { throw SFTPError.malformed }
        return .bytes(Array(try answer.fields.string()))
    }

    func write(_ handle: Field, at offset: UInt64, _ bytes: [UInt8]) throws -> Answer {
        try ask(PacketKind.write, [handle, .long(offset), .bytes(bytes)])
    }

    func close(_ handle: Field) throws -> SFTPStatus? { try ask(PacketKind.close, [handle]).status }

    /// Puts a whole file.
    func put(_ path: String, _ bytes: [UInt8]) throws -> SFTPStatus? {
        let handle = try handle(path, Self.put)
        _ = try write(handle, at: 0, bytes)
        return try close(handle)
    }

    func stat(_ path: String) throws -> Answer { try ask(PacketKind.attributes, [.text(path)]) }

    /// What STAT gives; nil where it fails.
    func attributes(_ path: String) throws -> FileAttributes? {
        var answer = try stat(path)
        return answer.kind == PacketKind.attributesAnswer ? try answer.fields.attributes() : nil
    }

    /// Every name of a directory.
    func names(_ path: String) throws -> [String] {
        let handle = try directory(path)
        var names: [String] = []
        while true {
            var answer = try ask(PacketKind.readDirectory, [handle])
            if answer.kind == PacketKind.status { break }
            for _ in 0..<(try answer.fields.uint32()) {
                names.append(String(decoding: try answer.fields.string(), as: UTF8.self))
                _ = try answer.fields.string()
                _ = try answer.fields.attributes()
            }
        }
        _ = try close(handle)
        return names
    }
}
