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
        let rendering = try rendering(index, order)
        let frame = try frame(index, rendering)
        return try begin { try $0.begin(frame, rendering) }
    }

    /// Lets the coder begin; whatever fails, then or later, is told as `ArchiveError`.
    private func begin(_ work: (any FrameCoder) throws -> FramePromise) throws(ArchiveError) -> FramePromise {
        let coder = frames.coder
        do {
            let made = try work(coder)
            return { do { return try made() } catch { throw Self.failure(error, coder) } }
        } catch { throw Self.failure(error, coder) }
    }

    private func rendering(_ index: Int, _ order: PictureOrder) throws -> ImageRendering {
        guard index >= 0, index < frameCount else { throw ArchiveError.notFound }
        return try ImageRendering(
            header: header, layout: frames.layout, from: syntax, frameIndex: index, order: order,
            words: order.annotation.isEmpty ? nil : try words
        ) { [content] offset, byteCount in Self.bytes(of: content, offset, byteCount) }
    }

    private func frame(_ index: Int, _ rendering: ImageRendering) throws -> [UInt8] {
        var frame = try frames.frame(index)
        rendering.orderBytes(&frame)
        return frame
    }

    // MARK: Videos

    /// Pixels of a group, those of its frames and of its pictures together, but for one frame: a group takes no longer
    /// than one large picture, which bounds the time of a codec worker.
    static let groupPixelLimit = 16 << 20
    /// Bytes of a group's frames as they are stored, but for the last one.
    static let groupByteLimit = 16 << 20

    /// What a video of these frames, counted from 0, is: the first that can be shown decides.
    ///
    /// - Throws: `.notFound` past the last frame; `RenderingError`, where none can the last one's.
    public func videoFormat(_ indices: [Int], _ order: PictureOrder) throws -> VideoFormat {
        var failure: any Error = ArchiveError.notFound
        for index in indices {
            let geometry: PictureGeometry
            do { geometry = try rendering(index, order).geometry } catch let error as RenderingError {
                failure = error
                continue
            }
            return try VideoFormat(
                width: geometry.width, height: geometry.height, frameDuration: frameDuration,
                isSRGB: order.colors == .plain || order.colors == .sRGB)
        }
        throw failure
    }

    /// Reads as many of the frames, counted from 0, as make a group of a video, takes them away, and begins the group.
    ///
    /// - Parameter indices: frames; those that cannot be shown are taken away and left out.
    /// - Throws: why the last frame cannot be shown, where none can, as `begin` does for one.
    public func beginGroup(
        of indices: inout ArraySlice<Int>, _ order: PictureOrder, _ format: VideoFormat, isOdd: Bool
    ) throws -> FramePromise {
        var group = VideoGroup(format, [], isOdd: isOdd)
        var read: [[UInt8]] = []
        var pixelCount = 0
        var byteCount = 0
        var failure: any Error = ArchiveError.notFound
        while read.count < VideoFormat.groupLimit, byteCount < Self.groupByteLimit, let index = indices.first {
            do {
                var rendering = try rendering(index, order)
                let native = rendering.native
                let more = native.rows * native.columns + format.codedWidth * format.codedHeight
                guard read.isEmpty || pixelCount + more <= Self.groupPixelLimit else { break }
                // Frames whose pixels have another shape are as large as the first all the same.
                (rendering.geometry.width, rendering.geometry.height) = (format.width, format.height)
                let frame = try frame(index, rendering)
                (pixelCount, byteCount) = (pixelCount + more, byteCount + frame.count)
                read.append(frame)
                group.renderings.append(rendering)
            } catch let error as RenderingError {
                failure = error
            } catch ArchiveError.transcodingFailed(let reason) {
                failure = ArchiveError.transcodingFailed(reason)
            }
            indices.removeFirst()
        }
        guard !read.isEmpty else { throw failure }
        return try begin { try $0.begin(read, group) }
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

    /// How many groups of a video are: each holds many frames until it is made.
    public var groupLead: Int { max(1, min(settings.frameCoder.concurrency, 2)) }
}

extension Tag {
    fileprivate static let representativeFrameNumber = Tag(0x0028_6010)
    fileprivate static let recommendedDisplayFrameRate = Tag(0x0008_2144)
}
