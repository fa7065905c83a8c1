import Archive
import Catalog
import DICOM
import NIOCore

/// The headers of instances as parts of XML. PS3.18 §10.4.1.1.2, PS3.19 §A.1.
final class MetadataParts: PieceSource {
    private let archive: Archive
    private let holdings: [Holding]
    private let base: String
    private var body: ModelBody
    private var index = 0
    private var isEnded = false

    init(archive: Archive, holdings: [Holding], base: String, body: ModelBody) {
        self.archive = archive
        self.holdings = holdings
        self.base = base
        self.body = body
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var bytes: [UInt8] = []
        while index < holdings.count, bytes.count < byteCount {
            let holding = holdings[index]
            index += 1
            let text = try archive.metadata(of: archive.open(holding))
            bytes += body.separator().utf8
            // What was written at ingest is of one dataset.
            try JSONModelReader.read(text) { model in
                XMLModelWriter.write(
                    model, addressPrefix: "\(base)/instances/\(holding.sopInstanceUID)/", into: &bytes)
            }
        }
        if index == holdings.count {
            isEnded = true
            bytes += body.end.utf8
        }
        return ByteBuffer(bytes: bytes)
    }
}
