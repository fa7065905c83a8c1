import DICOM

/// What a DICOMDIR lists. PS3.10 §8.6.
public struct FileSetDirectory: Sendable {
    /// Bytes in which the file meta information must end.
    private static let headByteCount = 1 << 20

    public private(set) var recordCount = 0
    /// The files that records in use refer to: their paths as written, by `FileID.key`.
    public private(set) var files: [String: String] = [:]
    /// Records whose File ID is none, or would lead out of the file-set.
    public private(set) var unusableFileIDs = 0
    public private(set) var fault: DirectoryFault?

    /// Reads a DICOMDIR to its end; what is wrong with it is in `fault`.
    ///
    /// Holds the names of the files and 32 bytes for each record.
    ///
    /// - Parameter next: the next bytes of the file; nil at its end.
    public init(
        recordLimit: Int = DirectoryReader.defaultRecordLimit, next: () -> [UInt8]?
    ) {
        var head: [UInt8] = []
        while head.count < Self.headByteCount, let piece = next() { head += piece }
        var parsed: Part10.Meta?
        do throws(ParseError) { parsed = try Part10.parseMeta(head) } catch {
            fault = .bound(error)
            return
        }
        guard let parsed else {
            fault = .notADirectory
            return
        }
        var reader = DirectoryReader(
            transferSyntax: parsed.transferSyntax, datasetOffset: UInt64(parsed.datasetOffset),
            recordLimit: recordLimit)
        var links: [DirectoryLink] = []
        do throws(DirectoryFault) {
            var piece: [UInt8]? = Array(head[parsed.datasetOffset...])
            head = []
            while let bytes = piece {
                try take(Self.feed(&reader, bytes), &links)
                piece = next()
            }
            try take(reader.finish(), &links)
            fault = DirectoryLink.fault(in: links, firstRoot: reader.firstRoot)
        } catch { fault = reader.isDirectory ? error : .notADirectory }
    }

    private static func feed(
        _ reader: inout DirectoryReader, _ bytes: [UInt8]
    ) throws(DirectoryFault) -> [DirectoryEntry] {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: bytes)
        return try reader.feed(UnsafeRawBufferPointer(buffer))
    }

    private mutating func take(_ entries: [DirectoryEntry], _ links: inout [DirectoryLink]) {
        for entry in entries {
            recordCount += 1
            links.append(entry.link)
            guard entry.link.isInUse, !entry.fileID.isEmpty else { continue }
            if let fileID = FileID(read: entry.fileID) {
                files[fileID.key] = fileID.path
            } else {
                unusableFileIDs += 1
            }
        }
    }

    /// Whether a file of this name, without its folder, is a DICOMDIR if any is. PS3.10 §8.6.
    public static func isDirectoryName(_ name: Substring) -> Bool {
        FileID.key(ofPath: [String(name)]) == "DICOMDIR"
    }
}
