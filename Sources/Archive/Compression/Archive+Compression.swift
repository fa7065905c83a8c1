import BlobStore
import Catalog
import DICOM
import Keys

extension Archive {
    /// What became of an attempt to compress one instance at rest.
    enum CompressionOutcome: Equatable {
        case compressed(from: UInt64, to: UInt64)
        /// It stays as it was sent, for good.
        case unsuitable
        /// It was removed or moved meanwhile.
        case overtaken
    }

    /// Where a sudden end may come while bytes take the place of others.
    enum RelocationStep: CaseIterable {
        case written, journalled, durable, applied, formerDestroyed
    }

    /// How much of its length an object must lose to be kept compressed, in percent.
    static let leastSaving: UInt64 = 10

    /// Keeps one instance compressed, having read it back and compared it with what was sent.
    ///
    /// PS3.5 §8.2. Three syncs. Whatever step is the last before a sudden end, the instance is held once.
    /// - Throws: what may pass: `.full`, `.closed`, `.blobs`, `.damaged`.
    func compress(_ holding: Holding, to target: TransferSyntax) throws(ArchiveError) -> CompressionOutcome {
        let object = try open(holding)
        guard object.compressed == nil else { return .overtaken }
        let record = try object.record()
        let source = TransferSyntax(uid: record.transferSyntaxUID)
        guard let layout = PixelDataLayout(encoded: record.pixelDataLayout), !source.isEncapsulated,
            !source.isDeflated, !layout.isEncapsulated, layout.isByteAligned, layout.frames > 0,
            layout.frames == layout.declaredFrameCount, layout.frames <= FrameContainer.frameCountLimit,
            layout.frameBitCount / 8 <= FrameContainer.frameByteCountLimit,
            let header = try? Self.header(of: object, transferSyntax: source, layout: layout)
        else { return .unsuitable }
        let hasUnstoredBits = header.int(.bitsStored) != header.int(.bitsAllocated)
        for depth in hasUnstoredBits ? CodedDepth.allCases : [.stored] {
            let coded = depth.header(of: header)
            guard let work = try? CompressedContent.work(coded, from: source, layout: layout, to: target) else {
                continue
            }
            let outcome = try compress(object, record, work, layout, depth)
            if outcome != .unsuitable { return outcome }
        }
        return .unsuitable
    }

    private func compress(
        _ object: StoredObject, _ record: InstanceRecord, _ work: FrameWork, _ layout: PixelDataLayout,
        _ depth: CodedDepth
    ) throws(ArchiveError) -> CompressionOutcome {
        let writer: BlobWriter
        do throws(BlobError) { writer = try blobs.begin(expectedByteCount: object.byteCount / 2) } catch {
            throw ArchiveError(error)
        }
        defer { writer.abandon() }
        guard let written = try write(object, work, layout, depth, to: writer),
            written <= object.byteCount / 100 * (100 - Self.leastSaving)
        else { return .unsuitable }
        let undecided: UndecidedContent
        do throws(BlobError) { undecided = try writer.undecidedContent() } catch { throw ArchiveError(error) }
        let digest: [UInt8]
        do {
            digest = try Self.digest(
                of: CompressedContent(
                    ReceivedContent(content: undecided), byteCount: record.byteCount,
                    transferSyntax: TransferSyntax(uid: record.transferSyntaxUID), layout: layout,
                    coder: settings.frameCoder))
        } catch {
            if case .coderFailed = error as? ArchiveError { throw .coderFailed }
            return .unsuitable
        }
        guard digest == record.digest else { return .unsuitable }
        var compressed = record
        compressed.isCompressed = true
        let isDone = try relocate(object, writer, compressed)
        return isDone ? .compressed(from: object.byteCount, to: written) : .overtaken
    }

    /// SHA-256 of a dataset as it was sent.
    static func digest(of content: some ContentSource) throws -> [UInt8] {
        let digest = try SHA256Digest()
        try content.forEachPiece { try digest.update($0) }
        return try digest.finish()
    }

    /// Writes the content in its compressed form; nil when a frame cannot be compressed.
    private func write(
        _ object: StoredObject, _ work: FrameWork, _ layout: PixelDataLayout, _ depth: CodedDepth,
        to writer: BlobWriter
    ) throws(ArchiveError) -> UInt64? {
        let frameByteCount = layout.frameBitCount / 8
        let nativeEnd = layout.valueOffset + UInt64(layout.frames) * frameByteCount
        guard nativeEnd <= object.byteCount else { return nil }
        var container = FrameContainer(
            prefixByteCount: layout.valueOffset, frameByteCount: frameByteCount,
            suffixByteCount: object.byteCount - nativeEnd, depth: depth)
        try copy(object, 0..<layout.valueOffset, to: writer)
        for index in 0..<layout.frames {
            var frame = try object.frame(index, layout)
            work.orderBytes(&frame)
            let coded: [UInt8]
            do { coded = try settings.frameCoder.code(frame, work) } catch {
                if settings.frameCoder.mayPass(error) { throw .coderFailed }
                return nil
            }
            guard coded.count < Int(UInt32.max) else { return nil }
            container.append(frameOf: coded.count)
            try append(coded, to: writer)
        }
        try copy(object, nativeEnd..<object.byteCount, to: writer)
        try append(container.trailer, to: writer)
        do throws(BlobError) { return try writer.finishContent().byteCount } catch { throw ArchiveError(error) }
    }

    private func copy(_ object: StoredObject, _ range: Range<UInt64>, to writer: BlobWriter) throws(ArchiveError) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = Int(min(UInt64(PieceBuffer.byteCount), range.upperBound - offset))
            try append(try FrameContainer.bytes(of: object, at: offset, count: count), to: writer)
            offset += UInt64(count)
        }
    }

    private func append(_ bytes: [UInt8], to writer: BlobWriter) throws(ArchiveError) {
        var failure: BlobError?
        bytes.withUnsafeBytes { buffer in
            do throws(BlobError) { try writer.append(buffer) } catch { failure = error }
        }
        if let failure { throw ArchiveError(failure) }
    }

    /// Makes the compressed bytes the instance's own. False when it is no longer where it was.
    ///
    /// The journal's entry comes before the sync of the pack: an entry whose bytes did not reach the disk is passed
    /// over, while bytes without an entry could lie behind where the next start reads from.
    private func relocate(
        _ object: StoredObject, _ writer: BlobWriter, _ record: InstanceRecord
    ) throws(ArchiveError) -> Bool {
        let metadata = try object.metadata()
        let holding = object.holding
        guard let key = KeyID(bytes: holding.studyKey) else { throw .damaged }
        return try gate.shared { () throws(ArchiveError) in
            try relocation.withLock { _ throws(ArchiveError) in
                let place = try ask { catalog throws(CatalogError) in
                    try catalog.whereabouts([holding.sequence]).first
                }
                guard let place, place.pack == holding.pack, place.byteOffset == holding.byteOffset,
                    place.former == nil, !place.isRemoved
                else { return false }
                let location: BlobLocation
                do throws(BlobError) {
                    location = try writer.write(
                        metadata: metadata, record: record.encoded(), sequence: holding.sequence, studyKey: key)
                } catch { throw ArchiveError(error) }
                reached(.written)
                let move = CatalogEvent.Relocation(
                    fromPack: holding.pack, fromOffset: holding.byteOffset, toPack: location.pack,
                    toOffset: location.offset)
                try self.record(.relocated(instance: holding.sequence, move)) { () throws(BlobError) in
                    reached(.journalled)
                    try writer.sync()
                    reached(.durable)
                }
                reached(.applied)
                return true
            }
        }
    }

    /// Whether there is room to write more of what is held a second time until the former bytes go: these never take more than
    /// half of what was free.
    var hasRoomForFormer: Bool {
        guard let free = try? blobs.freeByteCount(),
            let former = try? askWhileInUse({ catalog throws(CatalogError) in try catalog.formerByteCount() })
        else { return false }
        return Self.hasRoom(former: former, free: free, reserve: settings.blobs.reserveByteCount)
    }

    static func hasRoom(former: UInt64, free: UInt64, reserve: UInt64) -> Bool {
        free >= reserve && free - reserve >= former
    }

    /// Destroys the bytes of instances that lie elsewhere since `formerPeriod` and that nobody reads; returns how many.
    @discardableResult
    func destroyFormer(limit: Int = 256) throws(ArchiveError) -> Int {
        let time = Self.now() - settings.formerPeriod.components.seconds * 1000
        let all = try askWhileInUse { catalog throws(CatalogError) in
            try catalog.relocated(before: time, limit: limit)
        }
        var failure: ArchiveError?
        var gone: [Whereabouts] = []
        var closed: [BlobLocation] = []
        defer { for location in closed { leases.forget(location) } }
        for instance in all {
            guard let former = instance.former else { continue }
            let location = BlobLocation(pack: former.pack, offset: former.byteOffset)
            guard leases.close(location) else { continue }
            closed.append(location)
            // A rebuild that has seen the bytes must still find them when it reads them.
            do throws(ArchiveError) {
                try gate.shared { () throws(ArchiveError) in
                    try destroyBytes([BlobPlace(location: location, sequence: instance.sequence)])
                }
            } catch {
                failure = error
                continue
            }
            reached(.formerDestroyed)
            gone.append(instance)
        }
        if !gone.isEmpty {
            let forgotten = gone
            try askWhileInUse { catalog throws(CatalogError) in try catalog.forgetFormer(forgotten) }
        }
        if let failure { throw failure }
        return gone.count
    }

    /// Asks the catalogue in use, which a rebuild does not close meanwhile.
    func askWhileInUse<T>(_ body: (Catalog) throws(CatalogError) -> T) throws(ArchiveError) -> T {
        try gate.shared { () throws(ArchiveError) in try ask(body) }
    }

    private func reached(_ step: RelocationStep) { relocationWatch.withLock { $0 }?(step) }

    /// What is gone already stays gone, and what another object lies at.
    ///
    /// - Throws: what kept any of them; the others are destroyed.
    func destroyBytes(_ places: [BlobPlace]) throws(ArchiveError) {
        do throws(BlobError) {
            if let failure = try blobs.destroy(places).values.first { throw failure }
        } catch { throw ArchiveError(error) }
    }
}
