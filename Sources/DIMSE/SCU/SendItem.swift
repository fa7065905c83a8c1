import Archive
import Catalog
import DICOM

/// One object to be sent by C-STORE.
public protocol SendItem: Sendable {
    var sopClassUID: String { get }
    var sopInstanceUID: String { get }
    var transferSyntaxUID: String { get }
    /// Bytes of the dataset.
    var byteCount: UInt64 { get }
    /// Gives the dataset's bytes in order, in pieces of even length that last for the call.
    func forEachPiece(through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
}

/// An object out of the archive.
public struct StoredItem: SendItem {
    let archive: Archive
    let holding: Holding

    public init(archive: Archive, holding: Holding) {
        self.archive = archive
        self.holding = holding
    }

    public var sopClassUID: String { holding.sopClassUID }
    public var sopInstanceUID: String { holding.sopInstanceUID }
    public var transferSyntaxUID: String { holding.transferSyntaxUID }

    public var byteCount: UInt64 { holding.byteCount }

    public func forEachPiece(
        through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try archive.open(holding).forEachPiece(through: buffer, body)
    }
}
