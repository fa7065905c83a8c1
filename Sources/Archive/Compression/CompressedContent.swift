import BlobStore
import DICOM
import Synchronization

/// The bytes of a dataset as it was sent, read from content that is compressed at rest.
///
/// Decodes the frames that a range touches and keeps the last few. Safe from any thread.
final class CompressedContent: ContentSource {
    /// Decoded frames that are kept.
    private static let keptFrameCount = 2

    let byteCount: UInt64
    private let inner: any ContentSource
    private let container: FrameContainer
    private let decoding: FrameWork
    private let byteOrder: FrameWork
    private let coder: any FrameCoder
    private let kept = Mutex<[(index: Int, bytes: [UInt8])]>([])

    /// - Throws: `.damaged` when the lengths contradict one another; `.notTranscodable`, `.bound`.
    init(
        _ inner: any ContentSource, byteCount: UInt64, transferSyntax: TransferSyntax, layout: PixelDataLayout?,
        coder: any FrameCoder
    ) throws(ArchiveError) {
        self.inner = inner
        self.byteCount = byteCount
        self.coder = coder
        container = try FrameContainer(of: inner, datasetByteCount: byteCount)
        guard let layout, layout.valueOffset == container.prefixByteCount else { throw .damaged }
        let header = try Archive.header(of: inner, transferSyntax: transferSyntax, layout: layout)
        byteOrder = try Self.work(
            container.depth.header(of: header), from: transferSyntax, layout: layout,
            to: try Self.target(inner, container))
        decoding = byteOrder.reversed
        guard byteOrder.frameCount == container.frameCount else { throw .damaged }
    }

    /// The work that compresses the frames of a native dataset without loss.
    static func work(
        _ header: Dataset, from source: TransferSyntax, layout: PixelDataLayout, to target: TransferSyntax
    ) throws(ArchiveError) -> FrameWork {
        do throws(TranscodingError) {
            let plan = try Transcoding.plan(header: header, from: source, to: target, layout: layout)
            guard case .frames(let work) = plan.work, !plan.isLossy, work.sourceCoding == .native else {
                throw .contradictoryPixelData
            }
            return work
        } catch { throw .notTranscodable(error) }
    }

    /// A codestream tells itself what it is: SOI of JPEG-LS, SOC of JPEG 2000 (ISO 14495-1 §C, ISO 15444-1 §A).
    private static func target(
        _ inner: any ContentSource, _ container: FrameContainer
    ) throws(ArchiveError) -> TransferSyntax {
        guard container.starts[1] - container.starts[0] >= 2 else { throw .damaged }
        switch try FrameContainer.bytes(of: inner, at: container.prefixByteCount, count: 2) {
        case [0xFF, 0xD8]: return .jpegLSLossless
        case [0xFF, 0x4F]: return .htj2kLossless
        default: throw .damaged
        }
    }

    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        var done = 0
        while done < buffer.count, offset + UInt64(done) < byteCount {
            let place = offset + UInt64(done)
            let room = buffer.count - done
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            if place < container.prefixByteCount {
                done += try copy(place, min(UInt64(room), container.prefixByteCount - place), rest)
            } else if place >= container.nativeEnd {
                let start = container.starts[container.frameCount] + (place - container.nativeEnd)
                done += try copy(start, min(UInt64(room), byteCount - place), rest)
            } else {
                let (index, within) = (place - container.prefixByteCount)
                    .quotientAndRemainder(dividingBy: container.frameByteCount)
                let frame = try frame(Int(index))
                let count = min(room, frame.count - Int(within))
                rest.copyBytes(from: frame[Int(within)..<(Int(within) + count)])
                done += count
            }
        }
        return done
    }

    private func copy(
        _ offset: UInt64, _ count: UInt64, _ target: UnsafeMutableRawBufferPointer
    ) throws(ArchiveError) -> Int {
        let wanted = UnsafeMutableRawBufferPointer(rebasing: target[..<Int(count)])
        guard try inner.read(offset: offset, into: wanted) == wanted.count else { throw .damaged }
        return wanted.count
    }

    private func frame(_ index: Int) throws(ArchiveError) -> [UInt8] {
        if let bytes = kept.withLock({ kept in kept.first { $0.index == index }?.bytes }) { return bytes }
        let start = container.starts[index]
        let coded = try FrameContainer.bytes(of: inner, at: start, count: Int(container.starts[index + 1] - start))
        var bytes: [UInt8]
        do { bytes = try coder.code(coded, decoding) } catch {
            throw coder.mayPass(error) ? .coderFailed : .transcodingFailed("\(error)")
        }
        guard UInt64(bytes.count) == container.frameByteCount else { throw .damaged }
        byteOrder.orderBytes(&bytes)
        let result = bytes
        kept.withLock { kept in
            kept.append((index, result))
            if kept.count > Self.keptFrameCount { kept.removeFirst() }
        }
        return result
    }
}

extension FrameWork {
    /// From the target's frames to native ones in little endian.
    fileprivate var reversed: FrameWork {
        var result = self
        result.sourceCoding = targetCoding
        result.source = target
        result.native = native
        result.targetCoding = .native
        result.target = native
        result.swappedByteCount = 1
        return result
    }
}

/// The content of a blob as it lies there.
struct BlobContent: ContentSource {
    let reader: BlobReader

    var byteCount: UInt64 { reader.contentByteCount }

    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        do throws(BlobError) { return try reader.read(offset: offset, into: buffer) } catch {
            throw ArchiveError(error)
        }
    }
}
