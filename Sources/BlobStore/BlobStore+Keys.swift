import Keys

/// How far the keys of the packs' objects are in the key store.
public struct KeyMoveStatus: Codable, Equatable, Sendable {
    /// Objects whose key is in the pack alone.
    public var uncopied: Int
    /// Objects whose key is in both places, for as long as the settle time.
    public var uncleared: Int
}

extension BlobStore {
    /// Counts the objects whose key is still in a pack; reads their headers.
    public func keyMoveStatus() throws(BlobError) -> KeyMoveStatus {
        let (uncopied, uncleared) = try mover.waitingCount()
        return KeyMoveStatus(uncopied: uncopied, uncleared: uncleared)
    }

    /// Copies every key to the key store now; for tests.
    package func copyAllKeys() throws(BlobError) { while try mover.copyBatch() > 0 {} }

    /// Moves every key out of the packs now, without waiting for the settle time; for tests.
    package func moveAllKeys() throws(BlobError) {
        while try mover.copyBatch() > 0 {}
        mover.mark(now: 0)
        while try mover.clearBatch(now: .max / 2) > 0 {}
    }

    /// Brings back keys from a backup, each to the slot its object's header names.
    ///
    /// Reads the backup twice; removals and moves of keys wait only for one key at a time.
    /// - Throws: `.key(.backup)` if the file is of another installation, damaged, or not to be opened; `.io`, `.full`.
    public func restoreKeys(
        from path: String, passphrase: Passphrase?, isDryRun: Bool
    ) throws(BlobError) -> KeyRestoration {
        do throws(KeyError) {
            return try keys.restore(from: path, passphrase: passphrase, isDryRun: isDryRun) {
                (slot, key) throws(KeyError) in
                do throws(BlobError) { return try restore(key, isDryRun: isDryRun) } catch {
                    if case .key(let error) = error { throw error }
                    if case .full = error { throw .io(operation: "write", errno: 28) }
                    if case .io(let operation, let number) = error { throw .io(operation: operation, errno: number) }
                    return .withoutObject
                }
            }
        } catch { throw .key(error) }
    }

    private func restore(_ key: ObjectKey, isDryRun: Bool) throws(BlobError) -> ObjectKeyOutcome {
        try files.changing.withLock { (_) throws(BlobError) -> ObjectKeyOutcome in
            let location = BlobLocation(pack: key.pack, offset: key.offset)
            let header = try files.header(location, isChanging: true)
            guard header.objectID == key.objectID, header.studyKey == key.studyKey else { return .withoutObject }
            if header.keyPlace == .header { return .present }
            return try BlobError.unlocking { () throws(KeyError) in
                if case .live(let held) = try keys.objects.record(header.slot), held.objectID == key.objectID {
                    return .present
                }
                if isDryRun { return .restored }
                if try keys.objects.put(key, in: header.slot) { return .restored }
                // The slot was given to another object while this key was missing.
                let slot = try keys.objects.add([key])[0]
                var renamed = header
                renamed.slot = slot
                try rewrite(renamed)
                return .restored
            }
        }
    }

    private func rewrite(_ header: ObjectHeader) throws(KeyError) {
        do throws(BlobError) {
            let file = try files.file(header.location.pack)
            try BlobError.wrapping { () throws(SystemFailure) in
                try file.write(header.encoded, at: header.location.offset)
                try file.syncData()
            }
        } catch { throw .io(operation: "header", errno: 5) }
    }
}

extension BlobStore {
    /// Whether a directory holds packs.
    public static func hasPacks(_ directory: String) -> Bool {
        let numbers = try? PackShelf.numbers(in: directory, prefix: "pack-", suffix: ".hzp")
        return numbers?.isEmpty == false
    }

    /// Whether any key was moved out of the packs of a directory.
    public static func hasMovedKeys(_ directory: String) -> Bool {
        let numbers = (try? PackShelf.numbers(in: directory, prefix: "pack-", suffix: ".hzp")) ?? []
        return MovePositions(directory: directory, of: numbers).packs.contains { $0.value.cleared > 0 }
    }

    /// The identifier under which an object's key is kept and, once destroyed, listed.
    ///
    /// - Throws: `.notFound` if the object is gone; `.damaged`, `.io`.
    public func objectKey(of location: BlobLocation) throws(BlobError) -> [UInt8] {
        try files.header(location).objectID
    }

    /// Whether an object and its key are gone for good; false also where that cannot be told.
    ///
    /// - Parameter objectKey: empty where it was not known: then nothing at all may lie there.
    public func isDestroyed(_ location: BlobLocation, objectKey: [UInt8]) -> Bool {
        do throws(BlobError) {
            // The room may have been given to another object.
            return try files.header(location).objectID != objectKey && !objectKey.isEmpty
        } catch { return error == .notFound }
    }
}
