import Archive
import Catalog
import NIOCore

/// The headers of instances as a JSON array, as they were written when the instances came. PS3.18 §10.4.1.1.2.
final class MetadataArray: PieceSource {
    private let reader: MetadataReader
    private let holdings: [Holding]
    private let base: String
    private var index = 0
    private var isEnded = false
    private var batch = MetadataBatch()

    init(archive: Archive, holdings: [Holding], base: String) {
        reader = archive.metadataReader()
        self.holdings = holdings
        self.base = base
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var piece = begin(byteCount)
        while writeHeld(to: &piece, upTo: byteCount) {
            let first = index
            let made = try batch.make(holdings.count - first, byteCount: \.bytes.count) { [reader, holdings] offset in
                try reader.read(holdings[first + offset])
            }
            for text in made { write(text, to: &piece) }
        }
        end(&piece)
        return piece
    }

    func ready(upTo byteCount: Int) -> ReadyPiece {
        guard !isEnded else { return .ended }
        let first = index
        var piece = begin(byteCount)
        _ = writeHeld(to: &piece, upTo: byteCount)
        guard index > first || index == holdings.count else { return .unknown }
        end(&piece)
        return .piece(piece)
    }

    private func begin(_ byteCount: Int) -> ByteBuffer {
        var piece = ByteBufferAllocator().buffer(capacity: byteCount)
        if index == 0 { piece.writeString("[") }
        return piece
    }

    private func end(_ piece: inout ByteBuffer) {
        guard index == holdings.count else { return }
        isEnded = true
        piece.writeString("]")
    }

    /// Adds what is in memory; whether there is room for one that is not.
    private func writeHeld(to piece: inout ByteBuffer, upTo byteCount: Int) -> Bool {
        while index < holdings.count, piece.readableBytes < byteCount {
            guard let text = reader.held(holdings[index]) else { return true }
            write(text, to: &piece)
        }
        return false
    }

    private func write(_ text: MetadataText, to piece: inout ByteBuffer) {
        if index > 0 { piece.writeString(",") }
        text.write(to: &piece, addressPrefix: "\(base)/instances/\(holdings[index].sopInstanceUID)/")
        index += 1
    }
}

extension MetadataText {
    /// Adds it with its addresses made whole.
    ///
    /// - Parameter addressSuffix: what comes behind each.
    func write(to piece: inout ByteBuffer, addressPrefix: @autoclosure () -> String, addressSuffix: String = "") {
        guard !addresses.isEmpty else { return _ = piece.writeBytes(bytes) }
        let prefix = addressPrefix()
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for address in addresses {
                piece.writeBytes(bytes[start..<address])
                piece.writeString(prefix)
                start = address
                if addressSuffix.isEmpty { continue }
                // Tags and numbers up to the quote.
                let end = bytes[address...].firstIndex(of: UInt8(ascii: "\"")) ?? bytes.count
                piece.writeBytes(bytes[address..<end])
                piece.writeString(addressSuffix)
                start = end
            }
            piece.writeBytes(bytes[start...])
        }
    }
}
