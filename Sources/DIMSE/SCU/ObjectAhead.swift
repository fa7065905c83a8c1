import Archive

/// One object read before it is its turn. Used by the association's own thread, which would otherwise only wait.
final class ObjectAhead {
    /// The largest object that is read ahead. Pages that were never used take no memory.
    static let byteCountLimit = 4 << 20

    private lazy var memory = UnsafeMutableRawBufferPointer.allocate(
        byteCount: Self.byteCountLimit, alignment: 4096)
    private var isAllocated = false
    private var loaded: (item: any SendItem, byteCount: Int)?

    private struct TooLarge: Error {}

    deinit { if isAllocated { memory.deallocate() } }

    /// Reads an object, unless it is too large or cannot be read; then its turn will tell.
    func load(_ item: any SendItem, through buffer: PieceBuffer) {
        loaded = nil
        guard item.byteCount <= UInt64(Self.byteCountLimit) else { return }
        isAllocated = true
        var filled = 0
        do {
            try item.forEachPiece(through: buffer) { piece in
                guard filled + piece.count <= memory.count else { throw TooLarge() }
                guard let source = piece.baseAddress else { return }
                memory.baseAddress?.advanced(by: filled).copyMemory(from: source, byteCount: piece.count)
                filled += piece.count
            }
        } catch { return }
        if !item.isByteCountExact || UInt64(filled) == item.byteCount { loaded = (item, filled) }
    }

    /// Bytes of the object if it is the one that was read ahead.
    func byteCount(of item: any SendItem) -> UInt64? {
        guard let held = loaded, held.item.isSame(as: item) else { return nil }
        return UInt64(held.byteCount)
    }

    /// Gives the object's pieces, from memory if it is the one that was read ahead.
    func forEachPiece(
        of item: any SendItem, through buffer: PieceBuffer, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        guard let held = loaded, held.item.isSame(as: item) else {
            return try item.forEachPiece(through: buffer, body)
        }
        loaded = nil
        try body(UnsafeRawBufferPointer(rebasing: memory[..<held.byteCount]))
    }
}

extension SendItem {
    /// Whether both name one object of one kind and size.
    fileprivate func isSame(as other: any SendItem) -> Bool {
        sopInstanceUID == other.sopInstanceUID && byteCount == other.byteCount
            && transferSyntaxUID == other.transferSyntaxUID
    }
}
