import Archive
import Catalog
import DICOM
import Deidentification
import Foundation
import Keys
import NIOCore
import Release
import Synchronization

/// A study on its way out: its objects in the order in which they go, their announcements, and their bytes as chunks.
///
/// Objects go as they are stored, read and decrypted as they are asked for; those that are corrected or de-identified are made
/// first, a window of them at a time. Safe from any thread; calls block.
final class OutgoingStudy: Sendable {
    /// Bytes of made objects that are kept ready.
    static let windowByteCount: UInt64 = 32 << 20
    /// What each of them costs at least.
    static let madeByteCount: UInt64 = 16 << 10
    /// Objects of the first part of the manifest, and how many times those before it the next part has: what is lacking of them
    /// goes while the rest is announced, and no part takes long on a connection that begins slowly.
    static let firstOfferCount = 64
    static let offerGrowth = 4
    /// Bytes of an object by which it is told whether compressing it pays, and what must be left of them for that, in percent.
    static let sampleByteCount = 64 << 10
    static let worthPercent = 90
    static let level: Int32 = 3

    private enum Content {
        /// Opened when it is read: there may be very many.
        case stored(Holding)
        case made(ReleasedBytes)
    }

    private final class Ready: Sendable {
        let offer: Offer
        /// Of what is held.
        let sequence: UInt64
        let content: Content
        /// 0 not known, 1 worth compressing, 2 not.
        let worth = Atomic<UInt8>(0)

        init(_ offer: Offer, of holding: Holding, _ content: Content) {
            self.offer = offer
            sequence = holding.sequence
            self.content = content
        }
    }

    private struct State {
        /// Of the next object to announce among `holdings`, and its number.
        var next = 0
        var number = 0
        var ready: [Int: Ready] = [:]
        var study: String?
        var quarantined = 0
        var nameless = 0
    }

    private let archive: Archive
    private let release: Release?
    private let holdings: [Holding]
    /// What stood when it was looked up.
    private let corrections: [UInt64]
    private let state: Mutex<State>
    /// Held while the next part of the manifest is made.
    private let making = Mutex(())

    /// - Parameters:
    ///   - holdings: of one study, in the order in which they are to go.
    ///   - release: how they are de-identified; nil: they go as they are.
    init(_ holdings: [Holding], archive: Archive, release: Release?) {
        self.archive = archive
        self.release = release
        self.holdings = holdings
        corrections = archive.standingCorrections
        state = Mutex(State())
    }

    /// Objects that do not go; known once all were announced.
    var leftOut: Int { state.withLock { $0.quarantined + $0.nameless } }

    /// Why, for the operator; empty where all go.
    var leftOutNote: String {
        let (quarantined, nameless) = state.withLock { ($0.quarantined, $0.nameless) }
        var notes: [String] = []
        if quarantined > 0 { notes.append("\(quarantined) objects are not released and were left out") }
        if nameless > 0 {
            notes.append("\(nameless) objects have no valid SOP Instance UID, or no study, and were left out")
        }
        return notes.joined(separator: "; ")
    }

    var objectCount: Int { holdings.count }
    var byteCount: UInt64 { holdings.reduce(0) { $0 + $1.byteCount } }

    /// The Study Instance UID under which everything goes; known with the first objects.
    var study: String? { state.withLock { $0.study } }

    /// Whether all that is announced is known without making it.
    private func isPlain(_ holding: Holding) throws(TransferError) -> Bool {
        guard release == nil else { return false }
        guard archive.hasCorrections else { return true }
        do throws(ArchiveError) { return try !archive.isCorrected(try archive.open(holding)) } catch {
            // Removed since it was looked up: so the chunk will say.
            if case .notFound = error { return true }
            throw .archive(error)
        }
    }

    /// The next part of the manifest; what was made for those before it is given up.
    ///
    /// - Returns: nil when all of it was given.
    func next() throws(TransferError) -> [Offer]? {
        try making.withLock { _ throws(TransferError) in
            state.withLock { state in
                state.ready = state.ready.filter { if case .stored = $0.value.content { true } else { false } }
            }
            var offers: [Offer] = []
            var made: UInt64 = 0
            let next = state.withLock { $0.next }
            let limit = min(OfferList.objectLimit, max(Self.firstOfferCount, next * Self.offerGrowth))
            while offers.count < limit, made < Self.windowByteCount {
                let index = state.withLock { state in
                    defer { state.next += 1 }
                    return state.next
                }
                guard index < holdings.count else { break }
                guard let ready = try prepare(holdings[index]) else { continue }
                if case .made = ready.content { made += max(Self.madeByteCount, ready.offer.byteCount) }
                state.withLock { $0.ready[ready.offer.number] = ready }
                offers.append(ready.offer)
            }
            return offers.isEmpty ? nil : offers
        }
    }

    /// Whether it can be announced: the protocol names objects and their study by valid UIDs.
    private func hasName(_ holding: Holding) -> Bool {
        UIDs.isValid(holding.sopInstanceUID) && UIDs.isValid(holding.sopClassUID)
            && UIDs.isValid(holding.studyInstanceUID) && !archive.hasNoStudy(holding)
    }

    /// - Returns: nil for what is left out.
    private func prepare(_ holding: Holding) throws(TransferError) -> Ready? {
        // De-identified it gets other names.
        guard release != nil || hasName(holding) else {
            state.withLock { $0.nameless += 1 }
            return nil
        }
        let number = state.withLock { state in
            defer { state.number += 1 }
            return state.number
        }
        if try isPlain(holding) {
            state.withLock { $0.study = $0.study ?? holding.studyInstanceUID }
            return Ready(
                Offer(
                    number: number, sha256: holding.digest.hexadecimal, byteCount: holding.byteCount,
                    sopInstanceUID: holding.sopInstanceUID, sopClassUID: holding.sopClassUID,
                    transferSyntaxUID: holding.transferSyntaxUID), of: holding, .stored(holding))
        }
        do {
            let object = try archive.open(holding)
            let bytes: ReleasedBytes
            let study: String
            if let release {
                let released = try release.released(object, through: PieceBuffer())
                bytes = ReleasedBytes(released)
                study = released.header.studyInstanceUID
            } else {
                bytes = try ReleasedBytes(corrected: object, archive: archive)
                study = holding.studyInstanceUID
            }
            state.withLock { $0.study = $0.study ?? study }
            let offer = Offer(
                number: number, sha256: try bytes.sha256().hexadecimal, byteCount: bytes.byteCount,
                sopInstanceUID: bytes.sopInstanceUID, sopClassUID: bytes.sopClassUID,
                transferSyntaxUID: bytes.transferSyntaxUID)
            return Ready(offer, of: holding, .made(bytes))
        } catch ReleaseError.quarantined {
            state.withLock { state in
                state.number -= 1
                state.quarantined += 1
            }
            return nil
        } catch let error as ArchiveError {
            throw .archive(error)
        } catch { throw .ours("\(error)") }
    }

    // MARK: Chunks

    /// The bytes of pieces that were announced.
    ///
    /// - Parameter mayCompress: whether those go compressed that it pays for.
    /// - Throws: `.forgotten` for an object that is not announced, or whose part of the manifest is over; and where any of them was
    ///   removed or is corrected otherwise since: what there is now is announced anew.
    func chunk(
        _ pieces: [Piece], mayCompress: Bool, using coder: Zstandard
    ) throws(TransferError) -> ByteBuffer {
        let total = pieces.byteCount
        guard (1...Chunk.pieceLimit).contains(pieces.count), total <= Chunk.plainByteCountLimit else {
            throw .malformed("more than goes into a chunk")
        }
        let objects = state.withLock { state in pieces.compactMap { state.ready[$0.object] } }
        guard objects.count == pieces.count else { throw .forgotten }
        try check(objects)
        var writer = Chunk.Writer(pieceCount: pieces.count, byteCount: total)
        var room: [UInt8] = []
        for (piece, ready) in zip(pieces, objects) {
            guard piece.byteCount > 0, piece.end <= ready.offer.byteCount else {
                throw .malformed("a piece beyond its object's end")
            }
            let isWorth = mayCompress ? try isWorthCompressing(ready, coder) : false
            try writer.append(piece) { buffer throws(TransferError) in
                try write(piece, of: ready, isWorth, into: &buffer, through: &room, coder)
            }
        }
        return writer.buffer
    }

    private func check(_ objects: [Ready]) throws(TransferError) {
        guard archive.standingCorrections == corrections else { throw .forgotten }
        let sequences = Set(objects.map(\.sequence))
        do throws(ArchiveError) {
            guard try archive.shown(sequences: Array(sequences)).count == sequences.count else { throw .notFound }
        } catch {
            if case .notFound = error { throw .forgotten }
            throw .archive(error)
        }
    }

    private func write(
        _ piece: Piece, of ready: Ready, _ isWorth: Bool, into buffer: inout ByteBuffer, through room: inout [UInt8],
        _ coder: Zstandard
    ) throws(TransferError) -> (coding: Chunk.Coding, digest: [UInt8]) {
        let count = Int(piece.byteCount)
        let isWhole = UInt64(piece.byteCount) == ready.offer.byteCount
        guard isWorth || !isWhole else {
            var failure: TransferError?
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
                do throws(TransferError) {
                    try read(ready, piece.offset, into: UnsafeMutableRawBufferPointer(rebasing: target[..<count]))
                    return count
                } catch {
                    failure = error
                    return 0
                }
            }
            if let failure { throw failure }
            return (.plain, Chunk.noDigest)
        }
        if room.count < count { room = [UInt8](repeating: 0, count: count) }
        try room.withMutableRawBytes { bytes throws(TransferError) in
            try read(ready, piece.offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<count]))
        }
        var digest = Chunk.noDigest
        var coding = Chunk.Coding.plain
        try room.withRawBytes { bytes throws(TransferError) in
            let plain = UnsafeRawBufferPointer(rebasing: bytes[..<count])
            if !isWhole { digest = try TransferError.digest(of: plain) }
            if isWorth, compress(plain, into: &buffer, coder) {
                coding = .zstandard
            } else {
                buffer.writeBytes(plain)
            }
        }
        return (coding, digest)
    }

    /// - Returns: whether it became smaller.
    private func compress(_ plain: UnsafeRawBufferPointer, into buffer: inout ByteBuffer, _ coder: Zstandard) -> Bool {
        var isSmaller = false
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Zstandard.bound(plain.count)) { target in
            let count = coder.compress(plain, level: Self.level, into: target) ?? plain.count
            isSmaller = count < plain.count
            return isSmaller ? count : 0
        }
        return isSmaller
    }

    private func isWorthCompressing(_ ready: Ready, _ coder: Zstandard) throws(TransferError) -> Bool {
        switch ready.worth.load(ordering: .relaxed) {
        case 1: return true
        case 2: return false
        default: break
        }
        let syntax = TransferSyntax(uid: ready.offer.transferSyntaxUID)
        var isWorth = false
        if !syntax.isDeflated, !syntax.isEncapsulated {
            // From its midst: headers compress well whatever comes after them.
            let count = Int(min(UInt64(Self.sampleByteCount), ready.offer.byteCount))
            var sample = [UInt8](repeating: 0, count: count)
            let start = (ready.offer.byteCount - UInt64(count)) / 2
            try sample.withMutableRawBytes { bytes throws(TransferError) in try read(ready, start, into: bytes) }
            var coded = [UInt8](repeating: 0, count: Zstandard.bound(count))
            let size = sample.withUnsafeBytes { plain in
                coded.withUnsafeMutableBytes { coder.compress(plain, level: Self.level, into: $0) }
            }
            isWorth = size.map { $0 * 100 < count * Self.worthPercent } ?? false
        }
        ready.worth.store(isWorth ? 1 : 2, ordering: .relaxed)
        return isWorth
    }

    private func read(
        _ ready: Ready, _ offset: UInt64, into target: UnsafeMutableRawBufferPointer
    ) throws(TransferError) {
        switch ready.content {
        case .stored(let holding):
            do throws(ArchiveError) {
                let object = try archive.open(holding)
                var done = 0
                while done < target.count {
                    let count = try object.read(
                        offset: offset + UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: target[done...]))
                    guard count > 0 else { throw .damaged }
                    done += count
                }
            } catch {
                // Removed or changed since it was announced: what there is now is announced anew.
                if case .notFound = error { throw .forgotten }
                throw .archive(error)
            }
        case .made(let bytes):
            try bytes.read(offset, into: target)
        }
    }
}
