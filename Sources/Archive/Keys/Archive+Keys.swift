import BlobStore
import Glibc
import Keys

extension Archive {
    /// What the key store holds, and how many keys are not in it yet.
    public struct KeyReport: Sendable {
        public var status: KeyStatus
        public var move: KeyMoveStatus
        public var isMasterKeyOnDataDisk: Bool
    }

    /// Reads the headers of objects whose key is not in the key store alone.
    public func keyReport() throws(ArchiveError) -> KeyReport {
        let status: KeyStatus
        do throws(KeyError) { status = try keys.status() } catch { throw .keys(error) }
        do throws(BlobError) {
            return KeyReport(
                status: status, move: try blobs.keyMoveStatus(), isMasterKeyOnDataDisk: isMasterKeyOnDataDisk)
        } catch { throw ArchiveError(error) }
    }

    /// What the key store holds; reads nothing from the disk.
    public func keyStatus() throws(ArchiveError) -> KeyStatus {
        do throws(KeyError) { return try keys.status() } catch { throw .keys(error) }
    }

    /// Whether who takes the disk of the data has the master key too.
    public var isMasterKeyOnDataDisk: Bool { keys.isMasterKeyOnDisk(of: directory) }

    /// Takes a new master key into use while everything goes on.
    public func rotateMasterKey(to source: MasterKeySource? = nil) throws(ArchiveError) -> Rotation {
        do throws(KeyError) { return try keys.rotate(to: source) } catch { throw .keys(error) }
    }

    /// Writes a backup of the keys while everything goes on.
    public func backUpKeys(to path: String, passphrase: Passphrase?) throws(ArchiveError) -> KeyBackup {
        do throws(KeyError) { return try keys.backUp(to: path, passphrase: passphrase) } catch { throw .keys(error) }
    }

    /// Brings back keys that are missing and were not destroyed, while everything goes on.
    public func restoreKeys(
        from path: String, passphrase: Passphrase?, isDryRun: Bool
    ) throws(ArchiveError) -> KeyRestoration {
        do throws(BlobError) {
            return try blobs.restoreKeys(from: path, passphrase: passphrase, isDryRun: isDryRun)
        } catch { throw ArchiveError(error) }
    }

    /// The same for a data directory that no service runs on, also when nothing of its keys is left.
    ///
    /// The caller holds the directory's lock.
    public static func restoreKeys(
        directory: String, masterKey: MasterKeySource, from path: String, passphrase: Passphrase?, isDryRun: Bool
    ) throws(ArchiveError) -> KeyRestoration {
        let folder = directory + "/keys"
        var first: KeyRestoration?
        let keys: KeyStore
        do throws(KeyError) {
            if access(folder + "/studies.keys", F_OK) == 0, !KeyStore.isBeingRestored(folder) {
                keys = try KeyStore.open(directory: folder, master: masterKey, mayCreate: false)
            } else if isDryRun {
                throw .backup(path: path, why: "there are no keys to compare it with: restore without a dry run")
            } else {
                let made = try KeyStore.make(from: path, in: folder, master: masterKey, passphrase: passphrase)
                (keys, first) = (made.store, made.report)
            }
        } catch { throw .keys(error) }
        do throws(BlobError) {
            var options = BlobStoreOptions()
            options.movesKeys = false
            options.preparedLaneCount = 0
            let blobs = try BlobStore.open(directory: directory + "/blobs", keys: keys, options: options)
            defer { blobs.close() }
            var report = try blobs.restoreKeys(from: path, passphrase: passphrase, isDryRun: isDryRun)
            if let first {
                report.studyKeysRestored = first.studyKeysRestored
                report.studyKeysPresent = first.studyKeysPresent
            }
            return report
        } catch { throw ArchiveError(error) }
    }

    /// Refuses to begin with new keys where there are packs sealed by others.
    static func checkKeysAreThere(_ directory: String) throws(ArchiveError) {
        func exists(_ name: String) -> Bool { access(directory + "/" + name, F_OK) == 0 }
        let hasPacks = BlobStore.hasPacks(directory + "/blobs")
        let isLost =
            exists("keys/studies.keys")
            // The object keys went alone.
            ? BlobStore.hasMovedKeys(directory + "/blobs") && !exists("keys/objects.keys") : hasPacks
        if isLost { throw .keys(.missing(directory: directory + "/keys")) }
    }
}
