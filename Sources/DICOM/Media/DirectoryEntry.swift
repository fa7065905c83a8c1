/// A record of a DICOMDIR that was read. PS3.3 §F.3.2.2.
public struct DirectoryEntry: Sendable {
    public var link = DirectoryLink()
    public var type = ""
    /// The components of (0004,1500) as they are written; empty when the record refers to no file.
    public var fileID: [String] = []
    public var sopInstanceUID = ""
}

/// How a record is tied to others. Offsets count from the first byte of the file.
public struct DirectoryLink: Sendable {
    /// Where the record lies; nil when nothing shows it.
    public var offset: UInt64?
    public var nextOffset: UInt64 = 0
    public var lowerOffset: UInt64 = 0
    /// Whether the record counts. PS3.3 §F.3.2.2: 0000H marks one that is to be ignored.
    public var isInUse = true

    public init(offset: UInt64? = nil, nextOffset: UInt64 = 0, lowerOffset: UInt64 = 0, isInUse: Bool = true) {
        self.offset = offset
        self.nextOffset = nextOffset
        self.lowerOffset = lowerOffset
        self.isInUse = isInUse
    }

    /// What is wrong with the links of a file's records; nil when each record in use is reached once.
    ///
    /// Only a sign that the file was damaged or edited: the records can be read without them. No recursion.
    public static func fault(in links: [DirectoryLink], firstRoot: UInt64) -> DirectoryFault? {
        var places: [UInt64: Int] = [:]
        places.reserveCapacity(links.count)
        for (index, link) in links.enumerated() { if let offset = link.offset { places[offset] = index } }
        var isReached = [Bool](repeating: false, count: links.count)
        var waiting = [firstRoot]
        while let offset = waiting.popLast() {
            if offset == 0 { continue }
            guard let index = places[offset] else { return .danglingOffset }
            if isReached[index] { return .cycle }
            isReached[index] = true
            waiting.append(links[index].nextOffset)
            waiting.append(links[index].lowerOffset)
        }
        return links.indices.allSatisfy { isReached[$0] || !links[$0].isInUse } ? nil : .unreachableRecords
    }
}

/// What is wrong with a DICOMDIR.
public enum DirectoryFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file begins as no DICOMDIR does.
    case notADirectory
    /// The bytes end inside a record.
    case truncated
    /// A bound of the reader is broken.
    case bound(ParseError)
    case tooManyRecords(limit: Int)
    /// A record's offset leads to no record.
    case danglingOffset
    /// A record is reached twice.
    case cycle
    /// Records in use are reached from no other.
    case unreachableRecords

    /// Whether records may be missing from what was read.
    public var isIncomplete: Bool {
        switch self {
        case .notADirectory, .truncated, .bound, .tooManyRecords: true
        case .danglingOffset, .cycle, .unreachableRecords: false
        }
    }

    public var description: String {
        switch self {
        case .notADirectory: "it is no DICOMDIR"
        case .truncated: "it ends inside a record"
        case .bound(let error): "\(error)"
        case .tooManyRecords(let limit): "it has more than \(limit) records"
        case .danglingOffset: "an offset leads to no record"
        case .cycle: "its offsets lead in a circle"
        case .unreachableRecords: "records are linked from nowhere"
        }
    }
}
