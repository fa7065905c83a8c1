import Archive
import DICOM
import HTTP

/// Reads the body of a store request whose objects come as metadata and, in parts behind them, their bulk data.
/// PS3.18 §8.7.3, §10.5.
///
/// Used by one thread at a time. Holds the metadata; bulk data goes through a sealed file, for the length of a value
/// stands before it. An object is stored once the last of its parts is there.
final class ModelStoreReader: StoreBody, @unchecked Sendable {
    // The door feeds one piece after another and waits for each: never two threads at a time.

    /// Bytes of all metadata of one request.
    static let metadataByteCountLimit = 32 << 20
    /// Objects of one request.
    static let objectLimit = 100_000

    /// A part that comes now.
    private enum Part {
        case json([UInt8])
        case xml(XMLModelReader)
        case bulk(location: String, type: MediaRange, offset: UInt64)
        case dropped
    }

    /// What came under one address.
    private struct Bulk {
        var type: MediaRange
        var parts: [(offset: UInt64, byteCount: UInt64)] = []
    }

    /// An object whose bulk data is not all there.
    private struct Pending {
        var model: ModelDataset
        var missing: Set<String>
    }

    private let archive: Archive
    private let order: StoreReader.Order
    private let arrival: Arrival
    private var reader: MultipartReader?
    private(set) var report: StoreReport
    private var part: Part?
    private var metadataByteCount = 0
    private var objectCount = 0
    private var pending: [Int: Pending] = [:]
    private var waiting: [String: Set<Int>] = [:]
    private var bulk: [String: Bulk] = [:]
    private var spool: SealedSpool?
    private var syntaxProblem: ModelError?

    /// - Parameters:
    ///   - boundary: nil for a body that is metadata alone.
    ///   - type: of that body.
    init(_ order: StoreReader.Order, boundary: String?, type: MediaRange, archive: Archive) throws {
        self.order = order
        self.archive = archive
        arrival = archive.arrival()
        report = StoreReport(base: order.base)
        if let boundary { reader = try MultipartReader(boundary: boundary) } else { part = try Self.metadata(type) }
    }

    /// Nil for a type that is none of metadata.
    private static func metadata(_ type: MediaRange) throws(ModelError) -> Part? {
        switch type.essence {
        case "application/dicom+json", "application/json": .json([])
        case "application/dicom+xml", "application/xml", "text/xml": .xml(try XMLModelReader())
        default: nil
        }
    }

    func feed(_ bytes: UnsafeRawBufferPointer) throws {
        guard reader != nil else { return try take(bytes) }
        // The reader is put aside while it calls back.
        var reader = reader
        defer { self.reader = reader }
        try reader?.feed(bytes) { event in
            switch event {
            case .head(let fields): try begin(fields)
            case .data(let bytes): try take(bytes)
            case .end: end()
            }
        }
    }

    func finish() throws {
        if let reader { try reader.finish() } else { end() }
        for (id, object) in pending.sorted(by: { $0.key < $1.key }) {
            // Pixel data of another length than the attributes tell is kept as it was sent; nothing else may lack.
            let isComplete = object.missing.allSatisfy { bulk[$0] != nil && $0 == Self.pixelAddress(object.model) }
            guard isComplete, let syntax = syntax(of: object.model), !syntax.isEncapsulated else {
                fail(object.model, 0xC000)
                continue
            }
            pending[id] = nil
            store(object.model, warning: 0xB007)
        }
        pending = [:]
        if let syntaxProblem, report.storedCount == 0, report.failedCount == 0 {
            throw Problem(.badRequest, "\(syntaxProblem).".capitalizedFirst)
        }
        if syntaxProblem != nil { report.add(failed: 0xC000, sopClassUID: nil, sopInstanceUID: nil) }
    }

    func abandon(_ reason: Int) {
        // What waits for bulk data will not get it.
        for (_, object) in pending.sorted(by: { $0.key < $1.key }) { fail(object.model, reason) }
        if pending.isEmpty { report.add(failed: reason, sopClassUID: nil, sopInstanceUID: nil) }
        (pending, waiting, bulk, part) = ([:], [:], [:], nil)
        spool?.reset()
    }

    // MARK: Parts

    private func begin(_ fields: [String: String]) throws {
        guard let type = fields["content-type"].flatMap({ MediaRange($0) }) else {
            part = .dropped
            return
        }
        if let metadata = try Self.metadata(type) {
            part = metadata
            return
        }
        // What no metadata before it names, nothing can be made of.
        guard let location = fields["content-location"], waiting[location] != nil else {
            part = .dropped
            return
        }
        let spool = try spool ?? archive.spool()
        self.spool = spool
        part = .bulk(location: location, type: type, offset: spool.byteCount)
    }

    private func take(_ bytes: UnsafeRawBufferPointer) throws {
        switch part {
        case .json(var text):
            part = nil
            try count(bytes.count)
            text += bytes
            part = .json(text)
        case .xml(let reader):
            try count(bytes.count)
            guard syntaxProblem == nil else { return }
            do throws(ModelError) { try reader.feed(bytes) } catch {
                syntaxProblem = error
                part = .dropped
            }
        case .bulk: try spool?.append(bytes)
        case .dropped, nil: break
        }
    }

    private func count(_ byteCount: Int) throws(Problem) {
        metadataByteCount += byteCount
        guard metadataByteCount <= Self.metadataByteCountLimit else {
            throw Problem(
                .contentTooLarge,
                "The metadata of one request have more than \(Self.metadataByteCountLimit) bytes: send fewer objects.")
        }
    }

    private func end() {
        let ended = part
        part = nil
        switch ended {
        case .json(let text):
            do throws(ModelError) { try JSONModelReader.read(text) { take($0) } } catch { syntaxProblem = error }
        case .xml(let reader):
            do throws(ModelError) { take(try reader.finish()) } catch { syntaxProblem = error }
        case .bulk(let location, let type, let offset):
            let byteCount = (spool?.byteCount ?? offset) - offset
            bulk[location, default: Bulk(type: type)].parts.append((offset, byteCount))
            look(for: location)
        case .dropped, nil: break
        }
    }

    // MARK: Objects

    private func take(_ model: ModelDataset) {
        objectCount += 1
        guard model.problem == nil, objectCount <= Self.objectLimit else { return fail(model, 0xC000) }
        let addresses = Set(model.addresses)
        if addresses.isEmpty { return store(model, warning: nil) }
        pending[objectCount] = Pending(model: model, missing: addresses)
        for address in addresses { waiting[address, default: []].insert(objectCount) }
    }

    /// Stores what waited for nothing but what came last.
    private func look(for location: String) {
        for id in (waiting[location] ?? []).sorted() {
            guard let object = pending[id], isWhole(location, for: object.model) else { continue }
            pending[id]?.missing.remove(location)
            waiting[location]?.remove(id)
            guard pending[id]?.missing.isEmpty == true else { continue }
            pending[id] = nil
            let isLonger = location == Self.pixelAddress(object.model) && isTooLong(location, for: object.model)
            store(object.model, warning: isLonger ? 0xB007 : nil)
        }
        if waiting[location]?.isEmpty == true { waiting[location] = nil }
        if pending.isEmpty {
            bulk = [:]
            spool?.reset()
        }
    }

    /// The address of the image's own pixel data.
    private static func pixelAddress(_ model: ModelDataset) -> String? {
        guard case .bulk(let index, _) = model.dataset[.pixelData]?.value else { return nil }
        return model.addresses[Int(index)]
    }

    private func isWhole(_ location: String, for model: ModelDataset) -> Bool {
        guard location == Self.pixelAddress(model), let held = bulk[location] else { return true }
        guard let syntax = syntax(of: model) else { return true }
        if syntax.isVideo { return true }
        if syntax.isEncapsulated { return held.parts.count >= Self.frameCount(model.dataset) }
        return byteCount(location) >= Self.nativeByteCount(model.dataset)
    }

    private func isTooLong(_ location: String, for model: ModelDataset) -> Bool {
        guard let syntax = syntax(of: model), !syntax.isEncapsulated else { return false }
        let expected = Self.nativeByteCount(model.dataset)
        return byteCount(location) > expected + expected % 2
    }

    private func byteCount(_ location: String) -> UInt64 {
        bulk[location]?.parts.reduce(0) { $0 + $1.byteCount } ?? 0
    }

    private static func frameCount(_ header: Dataset) -> Int { max(1, header.int(.numberOfFrames) ?? 1) }

    /// 0 when the attributes do not tell.
    private static func nativeByteCount(_ header: Dataset) -> UInt64 {
        guard let format = PixelFormat(describedBy: header) else { return 0 }
        let (bits, isTooMany) = format.frameBitCount.multipliedReportingOverflow(by: UInt64(frameCount(header)))
        return isTooMany ? .max : (bits + 7) / 8
    }

    /// The transfer syntax that the object's pixel data came in; nil when it cannot be one.
    private func syntax(of model: ModelDataset) -> TransferSyntax? {
        guard let address = Self.pixelAddress(model) else { return .explicitVRLittleEndian }
        guard let held = bulk[address], let first = held.parts.first else { return nil }
        return BulkMediaType.syntax(held.type, head: head(first))
    }

    private func head(_ part: (offset: UInt64, byteCount: UInt64)) -> [UInt8] {
        var bytes: [UInt8] = []
        let count = min(part.byteCount, UInt64(BulkMediaType.headByteCount))
        try? spool?.read(offset: part.offset, byteCount: count) { bytes += $0 }
        return bytes
    }

    private func fail(_ model: ModelDataset, _ reason: Int) {
        report.add(
            failed: reason, sopClassUID: model.dataset.string(.sopClassUID),
            sopInstanceUID: model.dataset.string(.sopInstanceUID))
    }

    private func store(_ model: ModelDataset, warning: Int?) {
        guard let syntax = syntax(of: model) else { return fail(model, 0xC000) }
        let pixelAddress = Self.pixelAddress(model)
        let places = model.addresses.map { address -> [(offset: UInt64, byteCount: UInt64)] in
            let parts = bulk[address]?.parts ?? []
            guard address == pixelAddress, syntax.isEncapsulated else { return parts }
            return parts.map { part in
                guard let inner = BulkMediaType.codestream(head(part), byteCount: part.byteCount) else { return part }
                return (part.offset + inner.offset, inner.byteCount)
            }
        }
        let contents = zip(model.addresses, places).map { address, parts in
            BulkContent(
                partByteCounts: parts.map(\.byteCount), isEncapsulated: address == pixelAddress && syntax.isEncapsulated
            )
        }
        var incoming: Incoming?
        do {
            let object = try archive.receive(
                from: order.sender, by: arrival, defaultIssuer: order.defaultIssuer, transferSyntax: syntax,
                expectedClass: nil, expectedUID: nil)
            incoming = object
            object.require(order.check)
            try DatasetAssembler.write(model, contents: contents) { [spool] index, part, give in
                let place = places[index][part]
                try spool?.read(offset: place.offset, byteCount: place.byteCount, give)
            } emit: {
                try object.append($0)
            }
            let outcome = try object.finish()
            guard let identity = object.identity, outcome != .differs else { return fail(model, 0x0111) }
            order.ledger.count(study: identity.studyInstanceUID)
            report.add(stored: identity, warning: warning)
        } catch {
            incoming?.abandon()
            fail(model, reason(error, incoming?.identity))
        }
    }

    private func reason(_ error: any Error, _ identity: InstanceIdentity?) -> Int {
        switch error {
        case let error as ArchiveError: order.reason(error, identity)
        case RewriteError.output(let error), RewriteError.frames(let error): reason(error, identity)
        default: 0xC000
        }
    }
}
