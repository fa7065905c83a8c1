import DICOM

/// Decodes frames and encodes them in another way. Safe from any thread; blocks.
public protocol FrameCoder: Sendable {
    /// Frames that are worth being coded at a time.
    var concurrency: Int { get }

    /// Codes one frame anew; native frames are in little endian.
    ///
    /// - Parameter frame: as it is stored.
    /// - Throws: what the operator may read: without patient data.
    func code(_ frame: [UInt8], _ work: FrameWork) throws -> [UInt8]

    /// Begins to code one frame; what is returned waits for it. Holds no thread in between.
    func begin(_ frame: [UInt8], _ work: FrameWork) throws -> FramePromise

    /// Begins to make a picture of one frame, likewise; native frames are in little endian.
    func begin(_ frame: [UInt8], _ rendering: ImageRendering) throws -> FramePromise

    /// Begins to make a group of a video's pictures of these frames, likewise. Frames that are broken are left out.
    ///
    /// - Returns: what waits for a group as `hz_video_encode` writes it.
    func begin(_ frames: [[UInt8]], _ group: VideoGroup) throws -> FramePromise

    /// Whether pictures can be written into.
    var writesText: Bool { get }

    /// Whether the same frame may succeed another time.
    func mayPass(_ error: any Error) -> Bool
}

/// Waits for a frame and gives it.
public typealias FramePromise = @Sendable () throws -> [UInt8]

extension FrameCoder {
    public func begin(_ frame: [UInt8], _ work: FrameWork) throws -> FramePromise {
        let frame = try code(frame, work)
        return { frame }
    }

    public func begin(_: [UInt8], _: ImageRendering) throws -> FramePromise { throw NoFrameCoder.Missing() }

    public func begin(_: [[UInt8]], _: VideoGroup) throws -> FramePromise { throw NoFrameCoder.Missing() }

    public var writesText: Bool { false }

    public func mayPass(_: any Error) -> Bool { false }
}

/// For archives that have no codecs: only what needs none goes out in another transfer syntax.
public struct NoFrameCoder: FrameCoder {
    struct Missing: Error, CustomStringConvertible {
        var description: String { "there are no codecs here" }
    }

    public init() {}

    public var concurrency: Int { 1 }

    public func code(_: [UInt8], _: FrameWork) throws -> [UInt8] { throw Missing() }

    // Another start may bring codecs.
    public func mayPass(_: any Error) -> Bool { true }
}
