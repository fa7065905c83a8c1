import Testing

@testable import SFTP

/// Files that are put.
struct UploadTests {
    @Test func storesAFileWhenItIsClosed() throws {
        let client = try Client.begun()
        let handle = try client.handle("/incoming/a.dcm", Client.put)
        #expect(try client.write(handle, at: 0, [1, 2]).status == .ok)
        #expect(try client.write(handle, at: 2, [3]).status == .ok)
        #expect(try client.write(handle, at: 3, []).status == .ok)
        #expect(try client.attributes("/incoming/a.dcm")?.byteCount == 3)
        #expect(client.stored.isEmpty)
        #expect(try client.close(handle) == .ok)
        #expect(client.stored == [[1, 2, 3]])
        #expect(client.operations == ["begin", "append", "append", "finish"])
        #expect(try client.attributes("/incoming/a.dcm")?.byteCount == 3)
        #expect(try client.names("/incoming") == ["a.dcm"])
    }

    @Test func putsPiecesInOrderWithinTheWindow() throws {
        let client = try Client.begun()
        let handle = try client.handle("/incoming/a", Client.put)
        #expect(try client.write(handle, at: 4, [5]).status == .ok)
        #expect(try client.write(handle, at: 1, [2, 3]).status == .ok)
        #expect(try client.write(handle, at: 3, [4]).status == .ok)
        #expect(client.operations == ["begin"])
        #expect(try client.write(handle, at: 0, [1]).status == .ok)
        #expect(try client.close(handle) == .ok)
        #expect(client.stored == [[1, 2, 3, 4, 5]])
    }

    @Test func takesWhatIsAheadUpToTheBoundAndNoFurther() {
        let limit = UploadWindow.byteCountLimit
        var window = UploadWindow()
        #expect(window.take([9], at: limit - 1) == .pieces([]))
        guard case .refused = window.take([9], at: limit) else { return #expect(Bool(false), "one byte too far") }
        #expect(window.take([1], at: 0) == .pieces([[1]]))
        #expect(window.take([9], at: limit) == .pieces([]))
        #expect(window.byteCount == 1 && window.hasGap)
    }

    @Test func keepsAsManyPiecesWaitingAsTheBound() {
        var window = UploadWindow()
        for index in 1...UploadWindow.pieceLimit { #expect(window.take([1], at: UInt64(2 * index)) == .pieces([])) }
        guard case .refused = window.take([1], at: 1000) else { return #expect(Bool(false), "one piece too many") }
    }

    @Test func refusesWhatOverlaps() {
        func refuses(_ offset: UInt64, _ count: Int) -> Bool {
            var window = UploadWindow()
            _ = window.take([1, 1], at: 0)
            _ = window.take([1, 1], at: 4)
            _ = window.take([1, 1], at: 8)
            guard case .refused = window.take(ArraySlice([UInt8](repeating: 2, count: count)), at: offset) else {
                return false
            }
            return true
        }
        for (offset, count) in [(0, 1), (1, 1), (2, 3), (3, 2), (4, 1), (5, 1), (5, 4), (7, 2), (UInt64.max, 1)] {
            #expect(refuses(offset, count), "\(offset) \(count)")
        }
        for (offset, count) in [(2, 2), (3, 1), (6, 2), (10, 1), (7, 1)] as [(UInt64, Int)] {
            #expect(!refuses(offset, count), "\(offset) \(count)")
        }
    }

    @Test func keepsNothingOfAFileWithAGap() throws {
        let client = try Client.begun()
        let handle = try client.handle("/incoming/a", Client.put)
        _ = try client.write(handle, at: 0, [1])
        _ = try client.write(handle, at: 2, [3])
        #expect(try client.close(handle) == .failure)
        #expect(client.stored.isEmpty && client.dropped == [1])
        #expect(try client.stat("/incoming/a").status == .noSuchFile)
    }

    @Test func keepsNothingOfAFileThatFailedOnce() throws {
        let client = try Client.begun()
        let handle = try client.handle("/incoming/a", Client.put)
        client.failure = (.failure, "the disk is full")
        #expect(try client.write(handle, at: 0, [1]).text == "the disk is full")
        #expect(try client.write(handle, at: 1, [1]).text == "the disk is full")
        let closed = try client.ask(PacketKind.close, [handle])
        #expect(closed.status == .failure && closed.text == "the disk is full")
        #expect(client.dropped == [1] && client.stored.isEmpty)
        #expect(try client.names("/incoming").isEmpty)
        // A write out of place is as final.
        let other = try client.handle("/incoming/b", Client.put)
        #expect(try client.write(other, at: 2 << 20, [1]).status == .failure)
        #expect(try client.write(other, at: 0, [1]).status == .failure)
        #expect(try client.close(other) == .failure)
        #expect(client.dropped == [1, 3])
    }

    @Test func forgetsAFileThatWasNotKept() throws {
        let client = try Client.begun()
        let handle = try client.handle("/incoming/a", Client.put)
        client.failure = (.failure, "this is no DICOM file")
        let closed = try client.ask(PacketKind.close, [handle])
        #expect(closed.status == .failure && closed.text == "this is no DICOM file")
        #expect(try client.stat("/incoming/a").status == .noSuchFile)
        client.failure = (.permissionDenied, "no")
        #expect(try client.open("/incoming/a", Client.put).status == .permissionDenied)
        #expect(try client.put("/incoming/a", [1]) == .ok)
    }

    @Test func refusesToGoOnWhereAnotherUploadEnded() throws {
        let client = try Client.begun()
        #expect(try client.put("/incoming/a", [1]) == .ok)
        #expect(try client.open("/incoming/a", [.write]).status == .failure)
        #expect(try client.open("/incoming/a", [.write, .create]).status == .failure)
        #expect(try client.open("/incoming/a", [.write, .create, .append]).status == .failure)
        #expect(try client.open("/incoming/b", [.write, .create, .append]).status == .failure)
        #expect(try client.open("/incoming/a", [.write, .create, .truncate, .exclusive]).status == .failure)
        // Beginning again is another file.
        #expect(try client.put("/incoming/a", [2]) == .ok)
        #expect(client.stored == [[1], [2]])
    }

    @Test func readsNothingBack() throws {
        let client = try Client.begun()
        #expect(try client.put("/incoming/a", [1]) == .ok)
        #expect(try client.open("/incoming/a", .read).status == .permissionDenied)
        #expect(try client.open("/incoming/b", [.read, .write, .create]).status == .permissionDenied)
        let handle = try client.handle("/incoming/c", Client.put)
        #expect(try client.ask(PacketKind.read, [handle, .long(0), .number(1)]).status == .failure)
        #expect(try client.open("/incoming/c", Client.put).status == .failure)
    }

    @Test func takesAsManyFilesAtATimeAsTheBound() throws {
        let client = try Client.begun()
        let handles = try (0..<Conversation.uploadLimit).map { try client.handle("/incoming/\($0)", Client.put) }
        #expect(try client.open("/incoming/x", Client.put).status == .failure)
        for handle in handles { #expect(try client.close(handle) == .ok) }
        #expect(try client.open("/incoming/x", Client.put).kind == PacketKind.handle)
    }

    @Test func letsAClientRenameAndAdornWhatItPut() throws {
        let client = try Client.begun()
        #expect(try client.put("/incoming/.in.a.dcm.", [1, 2]) == .ok)
        func rename(_ from: String, _ to: String) throws -> SFTPStatus? {
            try client.ask(PacketKind.rename, [.text(from), .text(to)]).status
        }
        #expect(try rename("/incoming/.in.a.dcm.", "/incoming/a.dcm") == .ok)
        #expect(try client.names("/incoming") == ["a.dcm"])
        #expect(try client.attributes("/incoming/a.dcm")?.byteCount == 2)
        #expect(try rename("/incoming/.in.a.dcm.", "/incoming/b.dcm") == .noSuchFile)
        #expect(try rename("/incoming/a.dcm", "/studies/a.dcm") == .permissionDenied)
        #expect(try rename("/incoming/a.dcm", "/incoming/nowhere/a.dcm") == .noSuchFile)
        #expect(try rename("/incoming", "/incoming/x") == .permissionDenied)
        let mode = Field.attributes(FileAttributes(byteCount: nil, permissions: 0o644))
        #expect(try client.ask(PacketKind.setAttributes, [.text("/incoming/a.dcm"), mode]).status == .ok)
        #expect(try client.ask(PacketKind.setAttributes, [.text("/incoming/z"), mode]).status == .noSuchFile)
        #expect(try client.ask(PacketKind.setAttributes, [.text("/incoming"), mode]).status == .permissionDenied)
        for (count, status) in [(2, .ok), (1, .unsupported)] as [(UInt64, SFTPStatus)] {
            let size = Field.attributes(FileAttributes(byteCount: count))
            #expect(try client.ask(PacketKind.setAttributes, [.text("/incoming/a.dcm"), size]).status == status)
        }
        let handle = try client.handle("/incoming/c", Client.put)
        #expect(try client.ask(PacketKind.setHandleAttributes, [handle, mode]).status == .ok)
        #expect(try rename("/incoming/c", "/incoming/d") == .failure)
        #expect(try client.ask(PacketKind.remove, [.text("/incoming/a.dcm")]).status == .permissionDenied)
        #expect(try client.ask(PacketKind.remove, [.text("/incoming/z")]).status == .noSuchFile)
    }

    @Test func makesDirectoriesForWhoPutsAFolder() throws {
        let client = try Client.begun()
        func make(_ path: String) throws -> SFTPStatus? {
            try client.ask(PacketKind.makeDirectory, [.text(path), .number(0)]).status
        }
        #expect(try client.open("/incoming/study/a", Client.put).status == .noSuchFile)
        #expect(try make("/incoming/study/series") == .noSuchFile)
        #expect(try make("/incoming/study") == .ok)
        #expect(try make("/incoming/study") == .failure)
        #expect(try make("/incoming/study/series") == .ok)
        #expect(try client.put("/incoming/study/series/a", [1]) == .ok)
        #expect(try client.names("/incoming/study") == ["series"])
        #expect(try client.names("/incoming/study/series") == ["a"])
        #expect(try client.open("/incoming/study", Client.put).status == .failure)
        #expect(try make("/incoming/study/series/a/b") == .noSuchFile)
    }

    @Test func remembersAsManyNamesAsTheBound() {
        func path(_ index: Int) -> FilePath { FilePath("\(index)".utf8.map { $0 }[...]) ?? FilePath(names: []) }
        var names = UploadNames()
        for index in 0..<UploadNames.limit { names.store(path(index), byteCount: 1) }
        #expect(names[path(0)] == .stored(1))
        #expect(names.entries(in: FilePath(names: [])).count == UploadNames.limit)
        #expect(names.makeDirectory(path(-1)) == true)
        names.store(path(UploadNames.limit), byteCount: 2)
        #expect(names[path(0)] == nil && names[path(UploadNames.limit)] == .stored(2))
        #expect(names[path(-1)] == .directory)
        let made = (2...UploadNames.limit).count { names.makeDirectory(path(-$0)) }
        #expect(made == UploadNames.limit - 1)
        #expect(names.makeDirectory(path(-UploadNames.limit - 1)) == false)
        // And not more of their bytes.
        let long = FilePath(
            names: (0..<16).map { _ in FileName(repeatElement(UInt8(ascii: "a"), count: 250)) }.compactMap { $0 })
        var others = UploadNames()
        var count = 0
        while count < UploadNames.limit,
            others.makeDirectory(FilePath(names: long.names.dropLast() + path(count).names))
        {
            count += 1
        }
        #expect(count < 1000 && count > 100)
    }

    @Test func tellsWhatIsOpenWhenItBreaksOff() throws {
        let client = try Client.begun()
        _ = try client.handle("/incoming/a", Client.put)
        _ = try client.directory("/")
        _ = try client.directory("/studies")
        #expect(client.conversation.openSlots.sorted() == [1, 3])
    }
}
