import Archive
import CArchive
import Control
import DICOM
import Foundation
import Media

/// Feeds objects to the service one after another; archives are read as a stream, member by member.
struct Importer {
    private let channel: Channel
    private var report = ImportReport()
    private var line = ProgressLine()
    private var count = 0

    private static let blockByteCount = 256 * 1024

    init(settings: Settings, peer: String) throws {
        channel = try Channel.ask(.import(peer: peer), settings)
    }

    /// Takes a file, an archive, or a folder with all that is in it.
    mutating func takeAll(_ path: String) throws {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            report.skipped.append(Skipped(path: path, reason: "is not there", isUnread: true))
            return
        }
        let name = path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
        if isFolder.boolValue {
            try takeFolder(path, listedOnly: false)
        } else if FileSetDirectory.isDirectoryName(name), Self.directory(at: path).fault != .notADirectory {
            let folder = name.startIndex == path.startIndex ? "." : String(path[..<name.startIndex])
            try takeFolder(folder, listedOnly: true, directories: [String(name)])
        } else {
            _ = try take(path)
        }
    }

    /// - Parameters:
    ///   - listedOnly: whether to take only what a DICOMDIR lists.
    ///   - directories: the DICOMDIRs; nil for all that are there.
    private mutating func takeFolder(_ folder: String, listedOnly: Bool, directories: [String]? = nil) throws {
        let names = ImportSource.names(below: folder)
        var check = FileSetCheck()
        let found = names.filter { FileSetDirectory.isDirectoryName($0.split(separator: "/").last ?? "") }
        var lists: Set<String> = []
        for name in directories ?? found where !ImportSource.isLink(folder + "/" + name) {
            let directory = Self.directory(at: folder + "/" + name)
            check.add(directory, path: name)
            if directory.fault != .notADirectory { lists.insert(name) }
        }
        for name in names {
            if lists.contains(name) || listedOnly && !check.lists(name) { continue }
            let path = folder + "/" + name
            // A medium has no links; one that is there may lead anywhere.
            if !check.isEmpty && ImportSource.isLink(path) {
                report.skipped.append(Skipped(path: path, reason: "is a link, which no medium holds"))
                continue
            }
            check.note(name, isObject: try take(path))
        }
        report.fileSets += check.reports().map { report in
            var report = report
            report.directory = folder + "/" + report.directory
            return report
        }
    }

    private static func directory(at path: String) -> FileSetDirectory {
        let handle = FileHandle(forReadingAtPath: path)
        defer { try? handle?.close() }
        return FileSetDirectory {
            guard let piece = try? handle?.read(upToCount: FileItem.pieceByteCount), !piece.isEmpty else { return nil }
            return [UInt8](piece)
        }
    }

    /// - Returns: whether the file is an object, stored or refused.
    private mutating func take(_ path: String) throws -> Bool {
        switch FileItem.open(path) {
        case .success(let item):
            try channel.send(
                ObjectHead(
                    transferSyntaxUID: item.transferSyntaxUID, sopClassUID: item.sopClassUID,
                    sopInstanceUID: item.sopInstanceUID))
            do {
                try item.forEachPiece { try channel.send(data: $0) }
                try channel.sendEnd()
            } catch let why as Skipped {
                // What came so far is a part of the object, and would be held for it.
                try channel.sendAbort(why.reason)
            }
            try outcome(path)
            return true
        case .failure(let why):
            if why.reason == "is no DICOM file", try takeArchive(path) { return false }
            report.skipped.append(why)
            return false
        }
    }

    mutating func finish() throws -> ImportReport {
        try channel.sendEnd()
        try channel.finish()
        line.end()
        return report
    }

    private mutating func outcome(_ path: String) throws {
        guard case .stored(let outcome, let failure) = try channel.reply(&line, "") else {
            throw CommandFailure.end(2, "the service answered something else than an outcome")
        }
        if let outcome { report.outcomes[outcome, default: 0] += 1 }
        if outcome == StoreOutcome.differs.rawValue {
            report.refused.append(
                Skipped(path: path, reason: "another object is held under this one's UID, and stays"))
        }
        if let failure { report.refused.append(Skipped(path: path, reason: failure)) }
        count += 1
        line.show("importing: \(count) objects")
    }

    /// - Returns: whether the file is an archive.
    private mutating func takeArchive(_ path: String) throws -> Bool {
        guard let archive = archive_read_new() else { return false }
        defer { archive_read_free(archive) }
        archive_read_support_filter_all(archive)
        archive_read_support_format_all(archive)
        guard archive_read_open_filename(archive, path, Self.blockByteCount) == ARCHIVE_OK else { return false }
        var check = FileSetCheck()
        // A DICOMDIR may be the last member.
        var members: [(name: String, isObject: Bool)] = []
        defer {
            for member in members { check.note(member.name, isObject: member.isObject) }
            report.fileSets += check.reports().map { report in
                var report = report
                report.directory = path + ":" + report.directory
                return report
            }
        }
        var entry: OpaquePointer?
        while true {
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF { return true }
            guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let entry else {
                let why = archive_error_string(archive).map { String(cString: $0) } ?? "damaged"
                report.refused.append(Skipped(path: path, reason: "the archive cannot be read further: \(why)"))
                return true
            }
            guard archive_entry_filetype(entry) == 0o100000 else { continue }
            let name = archive_entry_pathname(entry).map { String(cString: $0) } ?? "?"
            if let head = readHead(archive, path + ":" + name) {
                if FileItem.isDirectory(head) {
                    if FileSetDirectory.isDirectoryName(name.split(separator: "/").last ?? "") {
                        check.add(readDirectory(archive, head), path: name)
                    }
                    continue
                }
                members.append((name, try takeMember(archive, head, path + ":" + name)))
            }
        }
    }

    private func readDirectory(_ archive: OpaquePointer, _ head: [UInt8]) -> FileSetDirectory {
        var first: [UInt8]? = head
        var piece = [UInt8](repeating: 0, count: Self.blockByteCount)
        return FileSetDirectory {
            if let head = first {
                first = nil
                return head
            }
            let count = read(archive, into: &piece).byteCount
            return count > 0 ? Array(piece[..<count]) : nil
        }
    }

    private mutating func readHead(_ archive: OpaquePointer, _ name: String) -> [UInt8]? {
        var head = [UInt8](repeating: 0, count: FileItem.headByteCount)
        let (filled, failure) = read(archive, into: &head)
        if let failure {
            report.refused.append(Skipped(path: name, reason: failure))
            return nil
        }
        guard filled > 0 else {
            report.skipped.append(Skipped(path: name, reason: "is empty"))
            return nil
        }
        head.removeLast(head.count - filled)
        return head
    }

    private mutating func takeMember(_ archive: OpaquePointer, _ head: [UInt8], _ name: String) throws -> Bool {
        let item: FileItem
        switch FileItem.describe(head, path: name) {
        case .success(let found): item = found
        case .failure(let why):
            report.skipped.append(why)
            return false
        }
        try channel.send(
            ObjectHead(
                transferSyntaxUID: item.transferSyntaxUID, sopClassUID: item.sopClassUID,
                sopInstanceUID: item.sopInstanceUID))
        try head[Int(item.datasetOffset)...].withUnsafeBytes { try channel.send(data: $0) }
        var piece = [UInt8](repeating: 0, count: Self.blockByteCount)
        while true {
            let (count, failure) = read(archive, into: &piece)
            if let failure {
                // What came so far is a part of the object, and would be held for it.
                try channel.sendAbort(failure)
                try outcome(name)
                return true
            }
            guard count > 0 else { break }
            try piece[..<count].withUnsafeBytes { try channel.send(data: $0) }
        }
        try channel.sendEnd()
        try outcome(name)
        return true
    }

    /// - Returns: fewer bytes than there is room for at the member's end; and why it cannot be read to that, where it cannot.
    private func read(
        _ archive: OpaquePointer, into buffer: inout [UInt8]
    ) -> (byteCount: Int, failure: String?) {
        buffer.withUnsafeMutableBytes { bytes in
            var filled = 0
            while filled < bytes.count {
                let count = archive_read_data(archive, bytes.baseAddress.map { $0 + filled }, bytes.count - filled)
                if count < 0 {
                    let why = archive_error_string(archive).map { String(cString: $0) } ?? "damaged"
                    return (filled, "cannot be read to its end in the archive: \(why)")
                }
                guard count > 0 else { break }
                filled += count
            }
            return (filled, nil)
        }
    }
}
