/// What happened to stored instances, as the journal keeps it. Instances are named by their sequence number, which
/// never changes, so that a replay meets exactly those that were meant.
public enum CatalogEvent: Equatable, Sendable {
    /// An instance that is held was sent again, with the same or with other content.
    case sentAgain(instance: UInt64, sender: Sender, outcome: SentAgain)
    /// Hidden from every query; destroyed at `destroyAt` (milliseconds since 1970).
    case removed(instances: [UInt64], destroyAt: Int64)
    /// A removal taken back within its grace period.
    case restored(instances: [UInt64])
    /// Keys and bytes are gone.
    case destroyed(instances: [UInt64])
    /// A hold on the studies of these instances, which prevents removal.
    case held(instances: [UInt64], Bool)
    /// The bytes of an instance lie elsewhere from now on, compressed at rest; the former ones are destroyed.
    case relocated(instance: UInt64, Relocation)

    /// Where an instance lay and where it lies.
    public struct Relocation: Equatable, Sendable {
        public var fromPack: UInt32
        public var fromOffset: UInt64
        public var toPack: UInt32
        public var toOffset: UInt64

        public init(fromPack: UInt32, fromOffset: UInt64, toPack: UInt32, toOffset: UInt64) {
            self.fromPack = fromPack
            self.fromOffset = fromOffset
            self.toPack = toPack
            self.toOffset = toOffset
        }
    }
    /// A rule of the operator's begins or ceases to stand.
    case corrected(CorrectionEvent)
    /// Everything that a transfer brought is shown from now on, except for these, which are destroyed.
    case arrived(transfer: [UInt8], except: [UInt64])
    /// A transfer was given up: what it brought is destroyed.
    case dropped(transfer: [UInt8])

    public enum SentAgain: String, Sendable {
        case same
        case differsKeptFirst
    }

    fileprivate func write(to writer: inout ByteWriter) {
        switch self {
        case .sentAgain(let instance, let sender, let outcome):
            writer.integer(UInt8(1))
            writer.integer(instance)
            writer.sender(sender)
            writer.text(outcome.rawValue)
        case .removed(let instances, let destroyAt):
            writer.integer(UInt8(2))
            writer.sequences(instances)
            writer.integer(destroyAt)
        case .restored(let instances):
            writer.integer(UInt8(3))
            writer.sequences(instances)
        case .destroyed(let instances):
            writer.integer(UInt8(4))
            writer.sequences(instances)
        case .held(let instances, let on):
            writer.integer(UInt8(5))
            writer.sequences(instances)
            writer.integer(UInt8(on ? 1 : 0))
        case .relocated(let instance, let move):
            writer.integer(UInt8(6))
            writer.integer(instance)
            writer.integer(move.fromPack)
            writer.integer(move.fromOffset)
            writer.integer(move.toPack)
            writer.integer(move.toOffset)
        case .corrected(let correction):
            writer.integer(UInt8(7))
            correction.write(to: &writer)
        case .arrived(let transfer, let except):
            writer.integer(UInt8(8))
            writer.blob(transfer)
            writer.sequences(except)
        case .dropped(let transfer):
            writer.integer(UInt8(9))
            writer.blob(transfer)
        }
    }

    fileprivate init(from reader: inout ByteReader) throws(CatalogError) {
        switch try reader.integer(UInt8.self) {
        case 1:
            let instance: UInt64 = try reader.integer()
            let sender = try reader.sender()
            guard let outcome = SentAgain(rawValue: try reader.text()) else { throw .damagedRecord }
            self = .sentAgain(instance: instance, sender: sender, outcome: outcome)
        case 2: self = .removed(instances: try reader.sequences(), destroyAt: try reader.integer())
        case 3: self = .restored(instances: try reader.sequences())
        case 4: self = .destroyed(instances: try reader.sequences())
        case 5: self = .held(instances: try reader.sequences(), try reader.integer(UInt8.self) == 1)
        case 6:
            self = .relocated(
                instance: try reader.integer(),
                Relocation(
                    fromPack: try reader.integer(), fromOffset: try reader.integer(), toPack: try reader.integer(),
                    toOffset: try reader.integer()))
        case 7: self = .corrected(try CorrectionEvent(from: &reader))
        case 8: self = .arrived(transfer: try reader.blob(), except: try reader.sequences())
        case 9: self = .dropped(transfer: try reader.blob())
        default: throw .damagedRecord
        }
    }
}

/// An event and when it happened, in milliseconds since 1970.
public struct JournalEntry: Equatable, Sendable {
    public var at: Int64
    public var event: CatalogEvent

    public init(at: Int64, event: CatalogEvent) {
        self.at = at
        self.event = event
    }

    /// The form that is sealed in the journal.
    public func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.integer(at)
        event.write(to: &writer)
        return writer.bytes
    }

    /// Reads `encoded()`.
    ///
    /// - Throws: `.damagedRecord`.
    public init(encoded bytes: [UInt8]) throws(CatalogError) {
        var reader = ByteReader(bytes)
        at = try reader.integer()
        event = try CatalogEvent(from: &reader)
    }
}

extension ByteWriter {
    fileprivate mutating func sequences(_ values: [UInt64]) {
        integer(UInt32(values.count))
        for value in values { integer(value) }
    }
}

extension ByteReader {
    fileprivate mutating func sequences() throws(CatalogError) -> [UInt64] {
        let count = try integer(UInt32.self)
        var values: [UInt64] = []
        for _ in 0..<count { values.append(try integer()) }
        return values
    }
}
