/// What is told of a file. draft-ietf-secsh-filexfer-02 §5.
public struct FileAttributes: Sendable, Equatable {
    static let sizeFlag: UInt32 = 1
    static let ownerFlag: UInt32 = 2
    static let permissionsFlag: UInt32 = 4
    static let timesFlag: UInt32 = 8
    static let extendedFlag: UInt32 = 0x8000_0000
    static let knownFlags = sizeFlag | ownerFlag | permissionsFlag | timesFlag | extendedFlag
    static let directoryKind: UInt32 = 0o040000
    static let fileKind: UInt32 = 0o100000

    /// Nil where it is not known before the file is opened.
    public var byteCount: UInt64?
    var permissions: UInt32?

    /// One that may be entered and listed.
    public static let directory = FileAttributes(byteCount: 0, permissions: directoryKind | 0o500)
    /// One that may be written to.
    static let dropDirectory = FileAttributes(byteCount: 0, permissions: directoryKind | 0o700)

    /// One that may be read.
    public static func file(_ byteCount: UInt64?) -> FileAttributes {
        FileAttributes(byteCount: byteCount, permissions: fileKind | 0o400)
    }

    /// One that was put here, and is not read back.
    static func upload(_ byteCount: UInt64) -> FileAttributes {
        FileAttributes(byteCount: byteCount, permissions: fileKind | 0o200)
    }

    var isDirectory: Bool { (permissions ?? 0) & Self.directoryKind != 0 }
}

extension FieldReader {
    /// Extended attributes of one file.
    static let extendedAttributeLimit: UInt32 = 64

    mutating func attributes() throws(SFTPError) -> FileAttributes {
        var result = FileAttributes()
        let flags = try uint32()
        guard flags & ~FileAttributes.knownFlags == 0 else { throw .malformed }
        if flags & FileAttributes.sizeFlag != 0 { result.byteCount = try uint64() }
        if flags & FileAttributes.ownerFlag != 0 { _ = try uint64() }
        if flags & FileAttributes.permissionsFlag != 0 { result.permissions = try uint32() }
        if flags & FileAttributes.timesFlag != 0 { _ = try uint64() }
        if flags & FileAttributes.extendedFlag != 0 {
            let count = try uint32()
            guard count <= Self.extendedAttributeLimit else { throw .malformed }
            for _ in 0..<count {
                _ = try string()
                _ = try string()
            }
        }
        return result
    }
}

/// One line of a directory.
public struct FileEntry: Sendable, Equatable {
    public var name: [UInt8]
    public var attributes: FileAttributes

    public init(name: [UInt8], attributes: FileAttributes) {
        self.name = name
        self.attributes = attributes
    }

    init(_ name: String, _ attributes: FileAttributes) { self.init(name: Array(name.utf8), attributes: attributes) }

    /// As `ls -l` has it; people read it, and some clients.
    var longName: [UInt8] {
        let letters: [Character] = Array("rwxrwxrwx")
        let bits = attributes.permissions ?? 0
        let mode = String(letters.enumerated().map { bits & (0o400 >> UInt32($0.offset)) != 0 ? $0.element : "-" })
        let size = String(attributes.byteCount ?? 0)
        let padding = String(repeating: " ", count: max(0, 8 - size.utf8.count))
        let head = (attributes.isDirectory ? "d" : "-") + mode + "    1 -        -        " + padding + size
        return Array((head + " Jan  1  1970 ").utf8) + name
    }
}
