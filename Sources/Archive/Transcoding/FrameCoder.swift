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

    /// Whether the same frame may succeed another time.
    func mayPass(_ error: any Error) -> Bool
}

extension FrameCoder {
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
