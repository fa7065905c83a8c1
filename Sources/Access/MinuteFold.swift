import Foundation

/// Tells of the first occasion of a kind at once, and of those that follow within a minute as one with their number, so
/// that who knocks without end fills neither log nor disk.
public struct MinuteFold<Kind: Hashable & Sendable, First: Sendable>: Sendable {
    /// Milliseconds of occasions that become one.
    public static var window: Int64 { 60_000 }
    /// Kinds that are kept; with more, those of past windows go, and then all.
    public static var kindLimit: Int { 4096 }

    /// What is to be told.
    public struct Told: Sendable {
        public var kind: Kind
        /// What was given with the first occasion of the minute.
        public var first: First
        /// How many followed it; nil for the first itself.
        public var further: UInt64?
    }

    private struct Count {
        var since: Int64
        var further: UInt64 = 0
        var first: First
    }

    private var counts: [Kind: Count] = [:]

    public init() {}

    /// It happened; gives what is to be told now.
    public mutating func note(_ kind: Kind, _ first: First, now: Date) -> [Told] {
        let now = Access.milliseconds(now)
        if var held = counts[kind], now - held.since < Self.window, now >= held.since {
            held.further += 1
            counts[kind] = held
            return []
        }
        var ended: [(Kind, Count)] = counts[kind].map { [(kind, $0)] } ?? []
        if counts.count >= Self.kindLimit {
            let old = counts.filter { now - $0.value.since >= Self.window || now < $0.value.since }
            let gone = old.isEmpty ? counts : old
            ended += gone.filter { $0.key != kind }
            for one in gone.keys { counts[one] = nil }
        }
        counts[kind] = Count(since: now, first: first)
        return ended.compactMap(Self.told) + [Told(kind: kind, first: first, further: nil)]
    }

    /// Gives what was counted and not told.
    public mutating func flush() -> [Told] {
        defer { counts = [:] }
        return counts.compactMap { Self.told($0.key, $0.value) }
    }

    private static func told(_ kind: Kind, _ count: Count) -> Told? {
        count.further == 0 ? nil : Told(kind: kind, first: count.first, further: count.further)
    }
}
