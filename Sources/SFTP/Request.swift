/// A request of a client after the first one. draft-ietf-secsh-filexfer-02 §6.
struct Request {
    typealias Bytes = ArraySlice<UInt8>

    enum Body {
        case open(path: Bytes, OpenFlags)
        case close(UInt64?)
        case read(UInt64?, offset: UInt64, byteCount: UInt32)
        case write(UInt64?, offset: UInt64, Bytes)
        case attributes(path: Bytes)
        case handleAttributes(UInt64?)
        case setAttributes(path: Bytes, FileAttributes)
        case setHandleAttributes(UInt64?, FileAttributes)
        case openDirectory(path: Bytes)
        case readDirectory(UInt64?)
        case remove(path: Bytes)
        case makeDirectory(path: Bytes)
        case removeDirectory(path: Bytes)
        case realPath(path: Bytes)
        case rename(from: Bytes, to: Bytes)
        case limits
        /// One that nothing here does.
        case other
        /// Known, and not as its kind has it.
        case malformed
    }

    let id: UInt32
    let body: Body

    /// - Throws: `.malformed` when not even the request's number can be read.
    init(_ packet: ArraySlice<UInt8>) throws(SFTPError) {
        var reader = FieldReader(packet)
        let kind = try reader.uint8()
        id = try reader.uint32()
        do throws(SFTPError) { body = try Self.body(kind, &reader) } catch { body = .malformed }
    }

    private static func body(_ kind: UInt8, _ reader: inout FieldReader) throws(SFTPError) -> Body {
        let body: Body
        switch kind {
        case PacketKind.open:
            let path = try reader.string()
            let flags = OpenFlags(rawValue: try reader.uint32())
            _ = try reader.attributes()
            body = .open(path: path, flags)
        case PacketKind.close: body = .close(try reader.handle())
        case PacketKind.read:
            body = .read(try reader.handle(), offset: try reader.uint64(), byteCount: try reader.uint32())
        case PacketKind.write:
            body = .write(try reader.handle(), offset: try reader.uint64(), try reader.string())
        case PacketKind.linkAttributes, PacketKind.attributes: body = .attributes(path: try reader.string())
        case PacketKind.handleAttributes: body = .handleAttributes(try reader.handle())
        case PacketKind.setAttributes:
            body = .setAttributes(path: try reader.string(), try reader.attributes())
        case PacketKind.setHandleAttributes:
            body = .setHandleAttributes(try reader.handle(), try reader.attributes())
        case PacketKind.openDirectory: body = .openDirectory(path: try reader.string())
        case PacketKind.readDirectory: body = .readDirectory(try reader.handle())
        case PacketKind.remove: body = .remove(path: try reader.string())
        case PacketKind.makeDirectory:
            body = .makeDirectory(path: try reader.string())
            _ = try reader.attributes()
        case PacketKind.removeDirectory: body = .removeDirectory(path: try reader.string())
        case PacketKind.realPath: body = .realPath(path: try reader.string())
        case PacketKind.rename: body = .rename(from: try reader.string(), to: try reader.string())
        case PacketKind.extended:
            // What others hold is theirs to know.
            return try reader.string().elementsEqual(Conversation.limitsExtension.utf8) ? .limits : .other
        default: return .other
        }
        try reader.end()
        return body
    }
}

/// How a file is to be opened. draft-ietf-secsh-filexfer-02 §6.3.
struct OpenFlags: OptionSet {
    let rawValue: UInt32

    static let read = OpenFlags(rawValue: 1)
    static let write = OpenFlags(rawValue: 2)
    static let append = OpenFlags(rawValue: 4)
    static let create = OpenFlags(rawValue: 8)
    static let truncate = OpenFlags(rawValue: 16)
    static let exclusive = OpenFlags(rawValue: 32)
}

extension FieldReader {
    /// Nil for what is none that we gave out.
    fileprivate mutating func handle() throws(SFTPError) -> UInt64? {
        let bytes = try string()
        return bytes.count == 8 ? bytes.reduce(0) { $0 << 8 | UInt64($1) } : nil
    }
}
