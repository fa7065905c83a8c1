import Archive
import Catalog

/// A list of objects of which only a page is in memory: an answer that is read slowly keeps the rest as numbers.
struct HoldingPages {
    /// Objects of one page: about 20 KiB.
    static let pageCount = 64

    private let archive: Archive
    // In their order, the next one last.
    private var page: [Holding]
    private var rest: ArraySlice<UInt64>

    init(_ holdings: [Holding], archive: Archive) {
        self.archive = archive
        page = holdings.prefix(Self.pageCount).reversed()
        rest = holdings.dropFirst(Self.pageCount).map(\.sequence)[...]
    }

    /// The next object; nil at the end. Those that are not shown any more are left out. May block.
    mutating func next() throws(ArchiveError) -> Holding? {
        while page.isEmpty, !rest.isEmpty {
            let numbers = rest.prefix(Self.pageCount)
            rest = rest.dropFirst(numbers.count)
            var found: [UInt64: Holding] = [:]
            for holding in try archive.shown(sequences: Array(numbers)) { found[holding.sequence] = holding }
            page = numbers.reversed().compactMap { found[$0] }
        }
        return page.popLast()
    }
}
