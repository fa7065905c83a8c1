import DICOM

/// Makes pictures for a screen of an instance's frames. Safe from any thread; blocks.
public final class FrameRenderer: Sendable {
    private let content: any ContentSource
    public let frameCount: Int
    private let header: Dataset
    private let syntax: TransferSyntax
    private let frames: FrameReader
    private let archive: Archive

    /// Reads the instance's header.
    ///
    /// - Throws: `.notFound` without frames that can be read one by one.
    public init(_ instance: InstanceContent, archive: Archive) throws(ArchiveError) {
        content = instance.source
        self.archive = archive
        frames = try FrameReader(instance, in: nil, archive: archive)
        frameCount = frames.frameCount
        syntax = instance.transferSyntax
        header = try instance.header()
    }

    /// The frame that stands for all, counted from 0: the one the object names, else the middle one.
    /// PS3.3 §C.7.6.6.1.2, PS3.18 §8.7.4.
    public var representativeFrame: Int {
        let named = (header.int(.representativeFrameNumber) ?? 0) - 1
        return (0..<frameCount).contains(named) ? named : (frameCount - 1) / 2
    }

    /// How long a frame is shown where they move. PS3.3 §C.7.6.5, §C.7.6.6; 100 ms where the object does not say.
    public var frameDuration: Duration {
        let rate = header.double(.recommendedDisplayFrameRate) ?? header.double(.cineRate)
        let milliseconds = rate.map { 1000 / $0 } ?? header.double(.frameTime) ?? 100
        return .milliseconds((10...10_000).contains(milliseconds) ? milliseconds : 100)
    }

    /// Reads one frame, counted from 0, and begins its picture; what is returned waits for it.
    ///
    /// Decoding, shading, scaling and encoding happen where `Settings.frameCoder` says.
    ///
    /// - Throws: `.notFound` past the last frame; `RenderingError`; from what is returned, `.transcodingFailed` for a
    ///   frame that is broken and `.coderFailed` for one that may succeed another time.
    public func begin(_ index: Int, _ order: PictureOrder) throws -> FramePromise {
        guard index >= 0, index < frameCount else { throw ArchiveError.notFound }
        let rendering = try ImageRendering(
            header: header, layout: frames.layout, from: syntax, frameIndex: index, order: order,
            words: order.annotation.isEmpty ? nil : try words
        ) { [content] offset, byteCount in Self.bytes(of: content, offset, byteCount) }
        var frame = try frames.frame(index)
        rendering.orderBytes(&frame)
        let coder = frames.coder
        do {
            let picture = try coder.begin(frame, rendering)
            return { do { return try picture() } catch { throw Self.failure(error, coder) } }
        } catch { throw Self.failure(error, coder) }
    }

    /// The header whose values are written into pictures: with the corrections that stand.
    private var words: Dataset {
        get throws(ArchiveError) {
            guard let object = content as? StoredObject else { return header }
            return try archive.correctedHeader(of: object) ?? header
        }
    }

    /// The picture of one frame, counted from 0.
    public func picture(_ index: Int, _ order: PictureOrder) throws -> [UInt8] { try begin(index, order)() }

    private static func failure(_ error: any Error, _ coder: any FrameCoder) -> ArchiveError {
        coder.mayPass(error) ? .coderFailed : .transcodingFailed("\(error)")
    }

    private static func bytes(of content: any ContentSource, _ offset: UInt64, _ byteCount: UInt64) -> [UInt8]? {
        guard offset <= content.byteCount, byteCount <= content.byteCount - offset, byteCount > 0 else { return nil }
        return [UInt8](unsafeUninitializedCapacity: Int(byteCount)) { buffer, count in
            count = (try? content.read(offset: offset, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
        }
    }
}

extension Archive {
    /// Whether pictures can be written into.
    public var writesText: Bool { settings.frameCoder.writesText }

    /// How many pictures are worth being begun before the first is taken.
    public var pictureLead: Int { max(1, min(2 * settings.frameCoder.concurrency, 8)) }
}

extension Tag {
    fileprivate static let representativeFrameNumber = Tag(0x0028_6010)
    fileprivate static let recommendedDisplayFrameRate = Tag(0x0008_2144)
}
