/// Makes one packet, its length before it.
struct PacketWriter {
    private var bytes: [UInt8]

    init(_ kind: UInt8, id: UInt32? = nil, capacity: Int = 64) {
        bytes = [0, 0, 0, 0, kind]
        bytes.reserveCapacity(capacity + 9)
        if let id { add(id) }
    }

    mutating func add(_ number: UInt32) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
    }

    mutating func add(_ number: UInt64) {
        add(UInt32(truncatingIfNeeded: number >> 32))
        add(UInt32(truncatingIfNeeded: number))
    }

    mutating func add(_ string: some Collection<UInt8>) {
        add(UInt32(string.count))
        bytes.append(contentsOf: string)
    }

    /// Bytes as they are.
    mutating func add(raw: [UInt8]) { bytes.append(contentsOf: raw) }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ attributes: FileAttributes) {
        var flags: UInt32 = 0
        if attributes.byteCount != nil { flags |= FileAttributes.sizeFlag }
        if attributes.permissions != nil { flags |= FileAttributes.permissionsFlag }
        add(flags)
        if let byteCount = attributes.byteCount { add(byteCount) }
        if let permissions = attributes.permissions { add(permissions) }
    }

    /// The packet; nothing is added after it.
    mutating func finished() -> [UInt8] {
        let count = UInt32(bytes.count - 4)
        for index in 0..<4 { bytes[index] = UInt8(truncatingIfNeeded: count >> UInt32(24 - 8 * index)) }
        return bytes
    }

    static func status(_ id: UInt32, _ status: SFTPStatus, _ text: String = "") -> [UInt8] {
        var packet = PacketWriter(PacketKind.status, id: id)
        packet.add(status.rawValue)
        packet.add(text.isEmpty ? "\(status)" : text)
        packet.add("en")
        return packet.finished()
    }

    static func handle(_ id: UInt32, _ handle: UInt64) -> [UInt8] {
        var packet = PacketWriter(PacketKind.handle, id: id)
        packet.add(UInt32(8))
        packet.add(handle)
        return packet.finished()
    }

    static func data(_ id: UInt32, _ data: [UInt8]) -> [UInt8] {
        var packet = PacketWriter(PacketKind.data, id: id, capacity: data.count + 4)
        packet.add(data)
        return packet.finished()
    }

    static func attributes(_ id: UInt32, _ attributes: FileAttributes) -> [UInt8] {
        var packet = PacketWriter(PacketKind.attributesAnswer, id: id)
        packet.add(attributes)
        return packet.finished()
    }

    static func names(_ id: UInt32, _ entries: [FileEntry]) -> [UInt8] {
        var packet = PacketWriter(PacketKind.names, id: id)
        packet.add(UInt32(entries.count))
        for entry in entries {
            packet.add(entry.name)
            packet.add(entry.longName)
            packet.add(entry.attributes)
        }
        return packet.finished()
    }
}
