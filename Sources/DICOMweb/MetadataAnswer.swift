import Archive
import Catalog
import HTTP
import NIOCore

/// The headers of instances as a JSON array, as they were written when the instances came. PS3.18 §10.4.1.1.2.
final class MetadataArray: PieceSource {
    private let archive: Archive
    private let holdings: [Holding]
    private let base: String
    private var index = 0
    private var isEnded = false
    private var batch = MetadataBatch()

    init(archive: Archive, holdings: [Holding], base: String) {
        self.archive = archive
        self.holdings = holdings
        self.base = base
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var piece = ByteBuffer()
        if index == 0 { piece.writeString("[") }
        while index < holdings.count, piece.readableBytes < byteCount {
            let first = index
            let made = try batch.make(holdings.count - first) { [archive, holdings] offset in
                try archive.metadata(of: archive.open(holdings[first + offset]))
            }
            for bytes in made {
                if index > 0 { piece.writeString(",") }
                write(bytes, of: holdings[index], to: &piece)
                index += 1
            }
        }
        if index == holdings.count {
            isEnded = true
            piece.writeString("]")
        }
        return piece
    }

    private func write(_ bytes: [UInt8], of holding: Holding, to piece: inout ByteBuffer) {
        // An address of bulk data was written without knowing under which name the service would be reached. The quote
        // before the name tells it from the same words within a value, where quotes are escaped.
        bytes.withUnsafeBytes { bytes in
            var start = 0
            while let found = Self.bulkName.first(in: bytes, from: start) {
                piece.writeBytes(bytes[start..<(found + Self.addressOffset)])
                piece.writeString("\(base)/instances/\(holding.sopInstanceUID)/")
                start = found + Self.addressOffset
            }
            piece.writeBytes(bytes[start...])
        }
    }

    private static let bulkName = ByteSearch(Array(#""BulkDataURI":"bulkdata/"#.utf8))
    /// Where the address begins in it.
    private static let addressOffset = #""BulkDataURI":""#.utf8.count
}
