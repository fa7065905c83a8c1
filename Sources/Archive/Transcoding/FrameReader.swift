import Catalog
import DICOM

/// Single frames of an instance, as they lie in its dataset or in another transfer syntax. Safe from any thread; blocks.
public final class FrameReader: Sendable {
    let content: any ContentSource
    /// In which the frames are given.
    public let transferSyntax: TransferSyntax
    public let frameCount: Int
    let layout: PixelDataLayout
    private let work: FrameWork?
    /// Whether words change their byte order and nothing else does. PS3.5 §7.3.
    private let swapsWords: Bool
    let coder: any FrameCoder

    /// Whether frames are given as they lie in the dataset, but for those that begin within a byte.
    var isPlain: Bool { work == nil && !swapsWords }

    /// Reads the object's header if frames must be coded anew.
    ///
    /// - Parameter target: nil for the instance's own transfer syntax.
    /// - Throws: `.notFound` without frames that can be read one by one; `.notTranscodable`.
    public init(_ instance: InstanceContent, in target: TransferSyntax?, archive: Archive) throws(ArchiveError) {
        content = instance.source
        coder = archive.settings.frameCoder
        let source = instance.transferSyntax
        guard !source.isDeflated, let layout = instance.layout, layout.frames > 0 else { throw .notFound }
        self.layout = layout
        frameCount = layout.frames
        transferSyntax = target ?? source
        guard let target, target.uid != source.uid else {
            work = nil
            swapsWords = false
            return
        }
        let header = try instance.header()
        do throws(TranscodingError) {
            let plan = try Transcoding.plan(header: header, from: source, to: target, layout: layout)
            if case .frames(var frames) = plan.work {
                // Who asks for frames reads in the stored header how they lie. PS3.3 §C.7.6.3.1.3.
                if !target.isEncapsulated { frames.target.planarConfiguration = frames.source.planarConfiguration }
                work = frames
            } else {
                work = nil
            }
            swapsWords = work == nil && source.isBigEndian != target.isBigEndian && layout.vr == .OW
        } catch { throw .notTranscodable(error) }
    }

    /// One frame, counted from 0.
    ///
    /// Frames of one bit a pixel that do not begin at a byte are moved to one. PS3.5 §8.1.1.
    ///
    /// - Throws: `.notFound` past the last one.
    public func frame(_ index: Int) throws -> [UInt8] { try begin(index)() }

    /// Reads one frame and begins to code it, where it must be; what is returned waits for it.
    public func begin(_ index: Int) throws -> FramePromise {
        guard index >= 0, index < frameCount else { throw ArchiveError.notFound }
        var bytes = try content.frame(index, layout)
        guard let work else {
            if swapsWords {
                for place in stride(from: 0, to: bytes.count - 1, by: 2) { bytes.swapAt(place, place + 1) }
            }
            let frame = aligned(bytes, index)
            return { frame }
        }
        if work.sourceCoding == .native {
            bytes = aligned(bytes, index)
            work.orderBytes(&bytes)
        }
        guard work.isCopy else { return try coder.begin(bytes, work) }
        let frame = bytes
        return { frame }
    }

    /// How many frames are worth being begun before the first is taken; each is held in memory.
    public var lead: Int {
        guard let work, !work.isCopy else { return 1 }
        let byteCount = max(1, work.native.frameByteCount, work.target.frameByteCount)
        return max(1, min(2 * coder.concurrency, 64, Int(clamping: FramePipeline.heldByteCountLimit / byteCount)))
    }

    private func aligned(_ bytes: [UInt8], _ index: Int) -> [UInt8] {
        let shift = layout.isEncapsulated ? 0 : layout.firstBit(ofFrame: index)
        let bitCount = Int(clamping: layout.frameBitCount)
        guard shift > 0 else { return bytes }
        var result = [UInt8](repeating: 0, count: (bitCount + 7) / 8)
        for place in result.indices {
            let next = place + 1 < bytes.count ? bytes[place + 1] : 0
            result[place] = bytes[place] >> UInt8(shift) | next << UInt8(8 - shift)
        }
        if bitCount % 8 != 0 { result[result.count - 1] &= UInt8(1 << (bitCount % 8)) - 1 }
        return result
    }
}

extension Archive {
    /// An object's header up to its pixel data, values that are long by their place only.
    ///
    /// - Parameter holding: attributes of the top level that are held however long they are.
    public func header(of object: StoredObject, holding: Set<Tag> = []) throws(ArchiveError) -> Dataset {
        try Self.header(
            of: object, transferSyntax: TransferSyntax(uid: object.holding.transferSyntaxUID),
            layout: PixelDataLayout(encoded: try object.record().pixelDataLayout), holding: holding)
    }
}
