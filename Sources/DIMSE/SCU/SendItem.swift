import Archive
import Catalog
import DICOM

/// One object to be sent by C-STORE.
public protocol SendItem: Sendable {
    var sopClassUID: String { get }
    var sopInstanceUID: String { get }
    var transferSyntaxUID: String { get }
    /// Bytes of the dataset; only an estimate if `isByteCountExact` is false.
    var byteCount: UInt64 { get }
    var isByteCountExact: Bool { get }
    /// The SOP Instance UID that goes out: another one when something is lost on the way.
    var sentInstanceUID: String { get }
    /// Whether it is an image that can be written anew.
    var hasPixels: Bool { get }
    /// Gives the dataset's bytes in order, in pieces of even length that last for the call.
    func forEachPiece(through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws
    func rewritten(in transferSyntaxUID: String) -> (any SendItem)?
}

extension SendItem {
    public var isByteCountExact: Bool { true }
    public var sentInstanceUID: String { sopInstanceUID }
    public var hasPixels: Bool { false }

    /// The same object in another transfer syntax, if it may be had so; told by what is sent, not before.
    public func rewritten(in transferSyntaxUID: String) -> (any SendItem)? { nil }
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
    public var isByteCountExact: Bool { !archive.hasCorrections }
    public var hasPixels: Bool { SOPClass.isImage(holding.sopClassUID) }

    public func forEachPiece(
        through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        try archive.write(archive.open(holding), through: buffer, body)
    }

    public func rewritten(in transferSyntaxUID: String) -> (any SendItem)? {
        let target = TransferSyntax(uid: transferSyntaxUID)
        guard Transcoding.isPossible(from: TransferSyntax(uid: holding.transferSyntaxUID), to: target) else {
            return nil
        }
        return RewrittenItem(archive: archive, holding: holding, target: target)
    }
}

/// An object out of the archive, written in another transfer syntax while it is sent.
struct RewrittenItem: SendItem {
    let archive: Archive
    let holding: Holding
    let target: TransferSyntax

    var sopClassUID: String { holding.sopClassUID }
    var sopInstanceUID: String { holding.sopInstanceUID }
    var transferSyntaxUID: String { target.uid }
    var byteCount: UInt64 { holding.byteCount }
    var isByteCountExact: Bool { false }

    var sentInstanceUID: String {
        target.losesWhenRewritten ? archive.derivedInstanceUID(of: holding, in: target) : sopInstanceUID
    }

    func forEachPiece(through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try archive.write(archive.open(holding), in: target, through: buffer, body)
    }
}
