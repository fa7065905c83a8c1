import Archive
import Catalog

/// A search over what is shown in full and, behind that, what is shown masked. Blocks.
public struct ReachedSearch: Sendable {
    private let archive: Archive
    private let masked: MaskedStudies?

    public init(_ archive: Archive, masked: MaskedStudies?) {
        self.archive = archive
        self.masked = masked
    }

    /// Gives every match to `each` until it returns false or the limit is reached.
    ///
    /// - Returns: whether there was more to look at than one search may.
    public func find(_ query: Query, each: (Match) -> Bool) throws -> Bool {
        var given = 0
        var isWanted = true
        try archive.find(query) { match in
            given += 1
            isWanted = each(match)
            return isWanted
        }
        let limit = query.limit ?? Int.max
        guard let masked, isWanted, given < limit else { return false }
        var skipped = given > 0 ? 0 : try query.offset - count(before: query)
        return try masked.find(query) { match in
            if skipped > 0 {
                skipped -= 1
                return true
            }
            given += 1
            return each(match) && given < limit
        }
    }

    /// How many there are in full, where all of them lie before the offset.
    private func count(before query: Query) throws(ArchiveError) -> Int {
        var all = query
        (all.offset, all.limit) = (0, query.offset)
        var count = 0
        if query.offset == 0 { return 0 }
        try archive.find(all) { _ in
            count += 1
            return true
        }
        return count
    }
}
