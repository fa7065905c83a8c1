import Archive
import Catalog

/// A search over what is shown in full and, behind that, what is shown masked. Blocks.
public struct ReachedSearch: Sendable {
    private let archive: Archive
    private let masked: ReleasedStudies?

    public init(_ archive: Archive, masked: ReleasedStudies?) {
        self.archive = archive
        self.masked = masked
    }

    /// Gives every match to `each` until it returns false or the limit is reached.
    ///
    /// - Parameter isWanted: asked now and then, whether anybody still waits.
    /// - Returns: whether something that concerns the question was not looked at.
    public func find(
        _ query: Query, while isWanted: @escaping () -> Bool = { true }, each: (Match) -> Bool
    ) throws -> Bool {
        var given = 0
        var isTaken = true
        var met: Set<String> = []
        let named = query.keys.strings(.studyInstanceUID).filter { !$0.isEmpty && $0 != "*" }
        try archive.find(query, while: isWanted) { match in
            given += 1
            if !named.isEmpty, let uid = match.attributes.string(.studyInstanceUID) { met.insert(uid) }
            isTaken = each(match)
            return isTaken
        }
        let limit = query.limit ?? Int.max
        guard let masked, isTaken, given < limit, isWanted() else { return false }
        // Who opens a study of their own asks for nothing else.
        if !named.isEmpty, met.isSuperset(of: named) { return false }
        let inFull = given
        var skipped = given > 0 ? 0 : try query.offset - count(before: query)
        let isUnfinished = try masked.find(query, while: isWanted) { match in
            if skipped > 0 {
                skipped -= 1
                return true
            }
            given += 1
            return each(match) && given < limit
        }
        // Whose matches are all in full is not told of limits that stand elsewhere.
        return isUnfinished && (inFull == 0 || given > inFull)
    }

    /// How many matches there are, whatever limit and offset the query has.
    ///
    /// - Parameter isWanted: as for `find`.
    /// - Returns: at most `limit`, and whether something that concerns the question was not looked at.
    public func count(
        _ query: Query, upTo limit: Int, while isWanted: @escaping () -> Bool = { true }
    ) throws -> (count: Int, isUnfinished: Bool) {
        var rest = query
        (rest.offset, rest.limit) = (0, nil)
        let inFull = try archive.count(rest, upTo: limit, while: isWanted)
        guard let masked, inFull < limit else { return (inFull, false) }
        var count = inFull
        let isUnfinished = try masked.find(rest, while: isWanted) { _ in
            count += 1
            return count < limit
        }
        return (count, isUnfinished && (inFull == 0 || count > inFull))
    }

    /// How many there are in full, where all of them lie before the offset.
    private func count(before query: Query) throws(ArchiveError) -> Int {
        if query.offset == 0 { return 0 }
        var all = query
        (all.offset, all.limit) = (0, nil)
        return try archive.count(all, upTo: query.offset)
    }
}
