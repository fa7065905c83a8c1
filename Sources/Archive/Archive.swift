import BlobStore
import Catalog
import DICOM
import Foundation
import Keys
import Synchronization

/// The verbs of the house: store, find, open, remove, verify, rebuild. It alone knows the bytes and the catalogue.
///
/// The packs and the journal are the truth, the catalogue is their projection. Every call blocks; none may come
/// from Swift's cooperative pool.
public final class Archive: Sendable {
    /// What the configuration decides.
    public struct Settings: Sendable {
        public var differingContent = DifferingContentPolicy.keep
        /// How long a removed study can be brought back.
        public var gracePeriod = Duration.seconds(7 * 86_400)
        /// How long bytes are kept whose instance lies elsewhere by now: who copies the directory in less time has the one or
        /// the other, in whatever order it is copied.
        public var formerPeriod = Duration.seconds(3600)
        /// How long a study must be quiet to count as complete.
        public var studyQuietTime = Duration.seconds(5)
        public var blobs = BlobStoreOptions()
        /// Named in certificates of destruction.
        public var institution = ""
        /// What decodes and encodes frames of objects that go out in another transfer syntax.
        public var frameCoder: any FrameCoder = NoFrameCoder()
        /// How uncompressed pixel data is kept.
        public var compression = CompressionAtRest.none
        /// Instances that one correction may reach: they are put into the catalogue anew in one transaction.
        public var correctedInstanceLimit = 100_000
        /// Private attributes that queries may ask for.
        public var privateAttributes = PrivatePolicy.none
        /// Corrections that stand at a time: every object that is shown is held against them.
        public var standingCorrectionLimit = 10_000

        public init() {}
    }

    let settings: Settings
    let directory: String
    let keys: KeyStore
    let blobs: BlobStore
    let claims = Claims()
    let turns = Turns()
    let arrivals = ArrivalBoard()
    let studyKeys: StudyKeys
    private let placeholderKey: SymmetricKey
    /// What the catalogue's pages are sealed with.
    let catalogKey: SymmetricKey
    let sequence: Atomic<UInt64>
    /// Held while an event gets its number, is journalled and applied, so that events apply in their order. What is in it was
    /// journalled, and the catalogue has refused it so far.
    let eventLock = Mutex<[LateEvent]>([])
    /// How many of these there are.
    let lateEvents = Atomic<Int>(0)
    /// Whether a rebuild closed the catalogue and could not open the next.
    let isCatalogLost = Atomic<Bool>(false)
    /// Returns why the catalogue is not opened after a rebuild, in tests.
    let openingWatch = Mutex<(@Sendable () -> CatalogError?)?>(nil)
    /// What was found not to be readable as it was stored.
    let damage = KnownDamage()
    /// Returns why the catalogue refuses an event, in tests.
    let eventWatch = Mutex<(@Sendable (CatalogEvent) -> CatalogError?)?>(nil)
    private let current: Mutex<Catalog>
    /// Stores hold it shared while they finish; a rebuild of the catalogue holds it alone.
    let gate = Gate()
    private let caretaker = Mutex<Caretaker?>(nil)
    let custody = Mutex<(any Custody)?>(nil)
    /// Removed instances, by number, whose destruction failed since they were last tried all.
    let undestroyed = Mutex<Set<UInt64>>([])
    /// Why the latest round of housekeeping did not do all that is due, without patient data; nil when it did.
    let housekeepingFailure = Mutex<String?>(nil)
    /// Held while certificates are written: when the orders that were read are due.
    let certifying = Mutex<[String: Int64]>([:])
    let copyMark: CopyMark
    private let compression = Mutex<Compression?>(nil)
    let leases = Leases()
    let metadataShelf = MetadataShelf()
    /// Held while bytes take the place of others or are destroyed, so that neither misses the other.
    let relocation = Mutex(())
    /// For tests that end suddenly at each step.
    let relocationWatch = Mutex<(@Sendable (RelocationStep) -> Void)?>(nil)
    /// Milliseconds since 1970 of the last object that came in.
    let lastStoreAt = Atomic<Int64>(0)

    /// What the start found and mended.
    public let reconciliation: Reconciliation

    public static let catalogName = "catalog.sqlite"

    /// Opens the data directory, creating what is missing, and brings the catalogue up to the packs.
    ///
    /// The caller holds the directory's lock.
    public init(directory: String, masterKey: MasterKeySource, settings: Settings) throws(ArchiveError) {
        self.settings = settings
        self.directory = directory
        try Self.checkKeysAreThere(directory)
        do throws(KeyError) {
            keys = try KeyStore.open(directory: directory + "/keys", master: masterKey)
        } catch { throw .keys(error) }
        do throws(BlobError) {
            blobs = try BlobStore.open(directory: directory + "/blobs", keys: keys, options: settings.blobs)
        } catch { throw ArchiveError(error) }
        do throws(KeyError) {
            placeholderKey = try keys.systemKey(purpose: "placeholder uid")
            catalogKey = try keys.systemKey(purpose: "catalogue")
        } catch { throw .keys(error) }
        studyKeys = StudyKeys(store: keys)
        copyMark = CopyMark(directory: directory)
        let isCopy = copyMark.isCopy
        if isCopy { copyMark.dropCatalogue() }
        let catalog: Catalog
        do throws(CatalogError) {
            catalog = try Catalog(
                path: directory + "/" + Self.catalogName, key: catalogKey, privates: settings.privateAttributes)
        } catch { throw ArchiveError(error) }
        copyMark.set()
        var replay = try Replay(blobs: blobs, catalog: catalog, privates: settings.privateAttributes).run()
        replay.report.isCopy = isCopy
        reconciliation = replay.report
        damage.unlisted.store(replay.report.damagedObjects, ordering: .relaxed)
        sequence = Atomic(replay.lastSequence + 1)
        current = Mutex(catalog)
        // Without room for it the archive serves all the same; the next start tries again.
        try? publishSigningKey()
        caretaker.withLock { $0 = Caretaker(archive: self) }
        if let target = settings.compression.transferSyntax {
            compression.withLock { $0 = Compression(archive: self, target: target) }
        }
    }

    /// The private attributes that queries may ask for.
    public var privateAttributes: PrivatePolicy { settings.privateAttributes }

    /// The catalogue in use.
    public var catalog: Catalog { current.withLock { $0 } }

    /// Asks the catalogue in use.
    func ask<T>(_ body: (Catalog) throws(CatalogError) -> T) throws(ArchiveError) -> T {
        do throws(CatalogError) { return try body(catalog) } catch { throw ArchiveError(error) }
    }

    func replaceCatalog(_ catalog: Catalog) { current.withLock { $0 = catalog } }

    func nextSequence() -> UInt64 { sequence.wrappingAdd(1, ordering: .relaxed).oldValue }

    /// Milliseconds since 1970, UTC.
    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// A key for something beside the archive that belongs to no study: the same for the same purpose every time.
    public func systemKey(purpose: String) throws(ArchiveError) -> SymmetricKey {
        do throws(KeyError) { return try keys.systemKey(purpose: purpose) } catch { throw .keys(error) }
    }

    /// A UID for what names none: the same for the same object, and telling nothing about it.
    /// Whether an object names no study: it is held in one that is known here alone.
    public func hasNoStudy(_ holding: Holding) -> Bool {
        holding.studyInstanceUID == placeholderUID("study of " + holding.sopInstanceUID)
    }

    func placeholderUID(_ name: String) -> String {
        let code = (try? placeholderKey.derived(for: name).withUnsafeBytes { Array($0.prefix(16)) }) ?? []
        var value = code.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        // Version 4 and the variant bits of a UUID, as PS3.5 Annex B.2 wants under 2.25.
        value = value & ~(0xF << 76) | (0x4 << 76)
        value = value & ~(0x3 << 62) | (0x2 << 62)
        return "2.25.\(value)"
    }

    /// What compression at rest has done since the start; nil when it is not asked for.
    public var compressionReport: CompressionReport? { compression.withLock { $0 }?.report }

    /// Free bytes on the disk that holds the packs.
    public var freeByteCount: UInt64 { (try? blobs.freeByteCount()) ?? 0 }

    /// Finishes what is under way and closes every file.
    public func close() throws(ArchiveError) {
        let running = compression.withLock { $0 }
        running?.stop()
        caretaker.withLock { held in
            held?.stop()
            held = nil
        }
        try ask { catalog throws(CatalogError) in try catalog.close() }
        copyMark.clear()
        blobs.close()
    }
}
