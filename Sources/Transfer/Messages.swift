/// One object of a transfer, as its sender announces it. `Docs/TRANSFER.md` §3.
public struct Offer: Codable, Sendable, Equatable {
    /// What the object is called in the chunks; counted from 0 in the order in which the sender wants them to go.
    public var number: Int
    /// SHA-256 of the dataset, 64 lower-case hexadecimal digits.
    public var sha256: String
    /// Bytes of the dataset in its transfer syntax, without preamble and file meta information.
    public var byteCount: UInt64
    public var sopInstanceUID: String
    public var sopClassUID: String
    public var transferSyntaxUID: String

    /// The 32 bytes of `sha256`; empty where that is none.
    var digest: [UInt8] { [UInt8](hexadecimal: sha256) ?? [] }

    enum CodingKeys: String, CodingKey {
        case number = "n"
        case sha256
        case byteCount = "size"
        case sopInstanceUID = "instance"
        case sopClassUID = "class"
        case transferSyntaxUID = "syntax"
    }
}

/// A part of a manifest.
struct OfferList: Codable, Sendable {
    static let objectLimit = 5000

    /// Study Instance UID of every object.
    var study: String
    var objects: [Offer]
    /// Of a source: whether there are more to ask for once these are there.
    var hasMore: Bool?
    /// Of a source: objects it does not release.
    var leftOut: Int?

    enum CodingKeys: String, CodingKey {
        case study, objects
        case hasMore = "more"
        case leftOut = "left-out"
    }
}

/// What the receiver lacks of what was offered.
struct Lacking: Codable, Sendable, Equatable {
    /// Numbers of objects of which it has nothing, as first and last of runs.
    var whole: [[Int]] = []
    /// Of objects of which it has a part, what is missing.
    var parts: [Part] = []
    /// It takes ranges, at multiples of so many bytes, also of objects that may go whole; nil: it does not.
    var cut: UInt64?

    struct Part: Codable, Sendable, Equatable {
        var number: Int
        /// Offset and length in bytes.
        var ranges: [[UInt64]]

        init(_ offer: Offer, _ missing: [Range<UInt64>]) {
            number = offer.number
            ranges = missing.map { [$0.lowerBound, $0.upperBound - $0.lowerBound] }
        }

        enum CodingKeys: String, CodingKey {
            case number = "n"
            case ranges
        }
    }

    var isEmpty: Bool { whole.isEmpty && parts.isEmpty }

    /// Notes an object of which nothing is there.
    mutating func append(all offer: Offer) {
        if offer.byteCount > Piece.wholeLimit {
            parts.append(.init(offer, [0..<offer.byteCount]))
        } else {
            append(whole: offer.number)
        }
    }

    mutating func append(whole number: Int) {
        if let last = whole.indices.last, whole[last].count == 2, whole[last][1] == number - 1 {
            whole[last][1] = number
        } else {
            whole.append([number, number])
        }
    }

    /// The numbers of `whole`; nil where runs are broken or too many.
    func wholeNumbers(below limit: Int) -> [Int]? {
        var result: [Int] = []
        for run in whole {
            guard run.count == 2, run[0] >= 0, run[0] <= run[1], run[1] < limit, result.count + run[1] - run[0] < limit
            else { return nil }
            result += Array(run[0]...run[1])
        }
        return result
    }
}

/// All of a transfer was offered: how many objects that were.
struct Completion: Codable, Sendable {
    var objects: Int
    /// How long to wait for what is on its way, in milliseconds; nil for not at all.
    var wait: Int?
}

/// What a puller asks a source for.
struct SourceRequest: Codable, Sendable {
    /// Study Instance UID.
    var study: String
    /// Number of the first object wanted; those before it are no longer needed.
    var from: Int
}

/// What a puller asks a source's objects for.
struct PieceRequest: Codable, Sendable {
    static let pieceLimit = Chunk.pieceLimit

    /// Number, offset and length in bytes.
    var pieces: [[UInt64]]
    /// Whether pieces may come compressed.
    var mayCompress: Bool

    enum CodingKeys: String, CodingKey {
        case pieces
        case mayCompress = "zstd"
    }
}

/// What a site says of itself.
public struct SiteDescription: Codable, Sendable {
    public var site: String
    public var version: String
    /// Of the protocol.
    public var transfer: Int
}
