import DICOM

/// Takes out of coded frames what is not needed to show them: comments, application data, thumbnails, what follows the end.
/// The entropy-coded data stay as they are, byte for byte.
///
/// A value without state: any thread may use it. Works in place and holds nothing beside the frame.
public struct FrameCleaner: Sendable {
    /// Bytes of one frame's fragments together.
    public static let frameByteCountLimit = 64 << 20

    let syntax: TransferSyntax

    /// - Throws: `.notCleanable` for video and for what is not known here.
    public init(_ syntax: TransferSyntax) throws(StreamError) { self.syntax = syntax }

    /// Cleans one frame: all its fragments joined.
    ///
    /// - Returns: bytes that were taken out.
    /// - Throws: `.malformed` and the rest: then the frame is not to be used.
    @discardableResult
    public func clean(_ frame: inout [UInt8]) throws(StreamError) -> Int { throw .notCleanable }
}
