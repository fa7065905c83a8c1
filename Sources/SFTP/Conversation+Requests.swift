extension Conversation {
    /// An answer, or what has to be done for one.
    enum Next {
        case answer([UInt8])
        case perform(FileOperation, Purpose)
    }

    mutating func answer(_ request: Request) -> Next {
        let id = request.id
        switch request.body {
        case .open(let path, let flags): return open(Self.place(path), flags, id)
        case .close(let handle): return close(handle, id)
        case .read(let handle, let offset, let byteCount): return read(handle, offset, Int(byteCount), id)
        case .write(let handle, let offset, let bytes): return write(handle, offset, bytes, id)
        case .attributes(let path): return look(Self.place(path), id)
        case .handleAttributes(let handle): return look(handle, id)
        case .setAttributes(let path, let attributes): return set(attributes, Self.place(path), id)
        case .setHandleAttributes(let handle, let attributes): return set(attributes, handle, id)
        case .openDirectory(let path): return openDirectory(Self.place(path), id)
        case .readDirectory(let handle): return readDirectory(handle, id)
        case .remove(let path), .removeDirectory(let path): return remove(Self.place(path), id)
        case .makeDirectory(let path): return makeDirectory(Self.place(path), id)
        case .rename(let from, let to): return rename(Self.place(from), Self.place(to), id)
        case .realPath(let path):
            guard let path = FilePath(path) else { return Self.refused(id, .noSuchFile) }
            let entry = FileEntry(name: path.bytes, attributes: FileAttributes())
            return .answer(PacketWriter.names(id, [entry]))
        case .limits: return .answer(Self.limitsAnswer(id))
        case .other: return Self.refused(id, .unsupported)
        case .malformed: return Self.refused(id, .badMessage)
        }
    }

    private static func place(_ path: Request.Bytes) -> Place? { FilePath(path).flatMap { Place($0) } }

    private static func refused(_ id: UInt32, _ status: SFTPStatus, _ text: String = "") -> Next {
        .answer(PacketWriter.status(id, status, text))
    }

    // MARK: Looking

    private func look(_ place: Place?, _ id: UInt32) -> Next {
        switch place {
        case nil: return Self.refused(id, .noSuchFile)
        case .root: return .answer(PacketWriter.attributes(id, .directory))
        case .shown(.studies): return .answer(PacketWriter.attributes(id, .directory))
        case .shown(let place): return .perform(.look(place), .attributes)
        case .incoming(let path):
            let attributes: FileAttributes
            switch names[path] {
            case nil: return Self.refused(id, .noSuchFile)
            case .directory: attributes = .dropDirectory
            case .open: attributes = .upload(openUpload(at: path)?.window.byteCount ?? 0)
            case .stored(let byteCount): attributes = .upload(byteCount)
            }
            return .answer(PacketWriter.attributes(id, attributes))
        }
    }

    private func look(_ handle: UInt64?, _ id: UInt32) -> Next {
        switch handle.flatMap({ handles[$0] }) {
        case nil: Self.refused(id, .failure, Words.noHandle)
        case .known, .directory: .answer(PacketWriter.attributes(id, .directory))
        case .download(let attributes): .answer(PacketWriter.attributes(id, attributes))
        case .upload(let upload): .answer(PacketWriter.attributes(id, .upload(upload.window.byteCount)))
        }
    }

    private func openUpload(at path: FilePath) -> Upload? {
        for case .upload(let upload) in handles.values where upload.path == path { return upload }
        return nil
    }

    private mutating func openDirectory(_ place: Place?, _ id: UInt32) -> Next {
        guard let place else { return Self.refused(id, .noSuchFile) }
        guard let handle = newHandle() else { return Self.refused(id, .failure, Words.tooMany) }
        switch place {
        case .root:
            handles[handle] = .known([
                FileEntry(Place.incomingName, .dropDirectory), FileEntry(Place.studiesName, .directory),
            ])
        case .incoming(let path):
            guard names[path] == .directory else { return Self.refused(id, .noSuchFile) }
            handles[handle] = .known(names.entries(in: path)[...])
        case .shown(let place):
            guard place.isDirectory else { return Self.refused(id, .failure, "it is no directory") }
            return .perform(.list(place, slot: handle), .openDirectory(handle))
        }
        return .answer(PacketWriter.handle(id, handle))
    }

    private mutating func readDirectory(_ handle: UInt64?, _ id: UInt32) -> Next {
        guard let handle else { return Self.refused(id, .failure, Words.noHandle) }
        switch handles[handle] {
        case .known(let entries):
            guard !entries.isEmpty else { return Self.refused(id, .endOfFile) }
            handles[handle] = .known(entries.dropFirst(Self.entryLimit))
            return .answer(PacketWriter.names(id, Array(entries.prefix(Self.entryLimit))))
        case .directory: return .perform(.nextEntries(slot: handle), .entries)
        default: return Self.refused(id, .failure, Words.noHandle)
        }
    }

    // MARK: Files

    private mutating func open(_ place: Place?, _ flags: OpenFlags, _ id: UInt32) -> Next {
        let writes = !flags.isDisjoint(with: [.write, .append])
        switch place {
        case nil: return Self.refused(id, writes ? .permissionDenied : .noSuchFile, writes ? Words.readOnly : "")
        case .root: return Self.refused(id, .failure, Words.directory)
        case .incoming(let path):
            guard writes, !flags.contains(.read) else { return Self.refused(id, .permissionDenied, Words.writeOnly) }
            return openUpload(path, flags, id)
        case .shown(let place):
            guard !writes else { return Self.refused(id, .permissionDenied, Words.readOnly) }
            guard flags.contains(.read) else { return Self.refused(id, .badMessage) }
            guard !place.isDirectory else { return Self.refused(id, .failure, Words.directory) }
            guard let handle = newHandle() else { return Self.refused(id, .failure, Words.tooMany) }
            return .perform(.open(place, slot: handle), .openDownload(handle))
        }
    }

    private mutating func openUpload(_ path: FilePath, _ flags: OpenFlags, _ id: UInt32) -> Next {
        guard names[path] != .directory else { return Self.refused(id, .failure, Words.directory) }
        guard names[path.parent] == .directory else { return Self.refused(id, .noSuchFile) }
        guard flags.contains(.create), !flags.contains(.append) else { return Self.refused(id, .failure, Words.whole) }
        guard names[path] != .open else { return Self.refused(id, .failure, "it is being written") }
        if names[path] != nil {
            guard !flags.contains(.exclusive) else { return Self.refused(id, .failure, "it is there already") }
            // Without it the client means to go on where another upload ended.
            guard flags.contains(.truncate) else { return Self.refused(id, .failure, Words.whole) }
        }
        guard uploadCount < Self.uploadLimit, let handle = newHandle() else {
            return Self.refused(id, .failure, Words.tooMany)
        }
        return .perform(.begin(slot: handle), .openUpload(handle, path))
    }

    private func read(_ handle: UInt64?, _ offset: UInt64, _ byteCount: Int, _ id: UInt32) -> Next {
        guard let handle, case .download = handles[handle] else { return Self.refused(id, .failure, Words.noHandle) }
        guard byteCount > 0 else { return Self.refused(id, .endOfFile) }
        let count = min(byteCount, Self.dataByteCountLimit)
        return .perform(.read(slot: handle, offset: offset, byteCount: count), .data)
    }

    private mutating func write(
        _ handle: UInt64?, _ offset: UInt64, _ bytes: Request.Bytes, _ id: UInt32
    ) -> Next {
        guard let handle, case .upload(var upload) = handles[handle] else {
            return Self.refused(id, .failure, Words.noHandle)
        }
        if let failure = upload.failure { return Self.refused(id, failure.status, failure.text) }
        let taken = upload.window.take(bytes, at: offset)
        if case .refused(let why) = taken { upload.failure = (.failure, why) }
        handles[handle] = .upload(upload)
        switch taken {
        case .refused(let why): return Self.refused(id, .failure, why)
        case .pieces([]): return Self.refused(id, .ok)
        case .pieces(let pieces): return .perform(.append(slot: handle, pieces), .write(handle))
        }
    }

    private mutating func close(_ handle: UInt64?, _ id: UInt32) -> Next {
        guard let handle, let held = handles.removeValue(forKey: handle) else {
            return Self.refused(id, .failure, Words.noHandle)
        }
        switch held {
        case .known: return Self.refused(id, .ok)
        case .directory, .download: return .perform(.drop(slot: handle), .drop(PacketWriter.status(id, .ok)))
        case .upload(let upload):
            var failure = upload.failure
            if failure == nil, upload.window.hasGap { failure = (.failure, "bytes of the file are missing") }
            guard let failure else {
                return .perform(
                    .finish(slot: handle), .finish(upload.path, byteCount: upload.window.byteCount))
            }
            names.forget(upload.path)
            return .perform(.drop(slot: handle), .drop(PacketWriter.status(id, failure.status, failure.text)))
        }
    }

    // MARK: What clients do around an upload

    /// Times, owner and mode of what was put here are nobody's; a client that sets them is told that it did.
    private func set(_ attributes: FileAttributes, _ place: Place?, _ id: UInt32) -> Next {
        guard case .incoming(let path) = place else {
            return Self.refused(id, place == nil ? .noSuchFile : .permissionDenied)
        }
        switch names[path] {
        case nil: return Self.refused(id, .noSuchFile)
        case .directory: return Self.refused(id, path.names.isEmpty ? .permissionDenied : .ok)
        case .open: return set(attributes, heldByteCount: openUpload(at: path)?.window.byteCount ?? 0, id)
        case .stored(let byteCount): return set(attributes, heldByteCount: byteCount, id)
        }
    }

    private func set(_ attributes: FileAttributes, _ handle: UInt64?, _ id: UInt32) -> Next {
        switch handle.flatMap({ handles[$0] }) {
        case nil: Self.refused(id, .failure, Words.noHandle)
        case .upload(let upload): set(attributes, heldByteCount: upload.window.byteCount, id)
        default: Self.refused(id, .permissionDenied, Words.readOnly)
        }
    }

    private func set(_ attributes: FileAttributes, heldByteCount: UInt64, _ id: UInt32) -> Next {
        guard attributes.byteCount ?? heldByteCount == heldByteCount else {
            return Self.refused(id, .unsupported, Words.whole)
        }
        return Self.refused(id, .ok)
    }

    private func remove(_ place: Place?, _ id: UInt32) -> Next {
        switch place {
        case nil: Self.refused(id, .noSuchFile)
        case .incoming(let path) where names[path] == nil: Self.refused(id, .noSuchFile)
        default: Self.refused(id, .permissionDenied, "nothing is removed here")
        }
    }

    private mutating func makeDirectory(_ place: Place?, _ id: UInt32) -> Next {
        guard case .incoming(let path) = place else { return Self.refused(id, .permissionDenied, Words.readOnly) }
        guard names[path] == nil else { return Self.refused(id, .failure, "it is there already") }
        guard names[path.parent] == .directory else { return Self.refused(id, .noSuchFile) }
        guard names.makeDirectory(path) else { return Self.refused(id, .failure, Words.tooMany) }
        return Self.refused(id, .ok)
    }

    /// What was put here under one name goes by another.
    private mutating func rename(_ from: Place?, _ to: Place?, _ id: UInt32) -> Next {
        guard case .incoming(let from) = from, case .incoming(let to) = to else {
            return Self.refused(id, .permissionDenied, Words.readOnly)
        }
        switch names[from] {
        case nil: return Self.refused(id, .noSuchFile)
        case .directory: return Self.refused(id, .permissionDenied, "directories keep their names")
        case .open: return Self.refused(id, .failure, "it is being written")
        case .stored(let byteCount):
            guard names[to.parent] == .directory else { return Self.refused(id, .noSuchFile) }
            switch names[to] {
            case .directory, .open: return Self.refused(id, .failure, "it is there already")
            case .stored, nil: break
            }
            names.forget(from)
            names.store(to, byteCount: byteCount)
            return Self.refused(id, .ok)
        }
    }
}

/// What people are told.
enum Words {
    static let noHandle = "nothing is open by that handle"
    static let directory = "it is a directory"
    static let readOnly = "it is for reading"
    static let writeOnly = "what is put here is not read back"
    static let whole = "a file is sent whole: one that broke off begins again"
    static let tooMany = "too many files are open, or directories made"
}
