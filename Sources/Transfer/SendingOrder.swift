import Catalog
import DICOM

/// In which order a study's objects go: so that whoever waits can begin to read before all of it is there.
///
/// What says which images matter and what they show goes first (key object selections, reports, presentation states), then the
/// middle of every series, then its quarters, and then everything else, all series beside each other.
enum SendingOrder {
    static func ordered(_ series: [[Holding]]) -> [Holding] {
        var first: [Holding] = []
        var images: [[Holding]] = []
        for one in series {
            let isSmall = { (holding: Holding) in
                !SOPClass.isImage(holding.sopClassUID) && holding.byteCount < 1 << 20
            }
            first += one.filter(isSmall)
            let rest = one.filter { !isSmall($0) }
            if !rest.isEmpty { images.append(rest) }
        }
        var marks: [[Holding]] = [[], [], []]
        var left: [[Holding]] = []
        for one in images {
            let places = [one.count / 2, one.count / 4, one.count * 3 / 4]
            var taken: Set<Int> = []
            for (round, place) in places.enumerated() where taken.insert(place).inserted {
                marks[round].append(one[place])
            }
            left.append(one.indices.filter { !taken.contains($0) }.map { one[$0] })
        }
        var rest: [Holding] = []
        let longest = left.map(\.count).max() ?? 0
        // In runs, so that what lies together is read together.
        let run = 16
        for start in stride(from: 0, to: longest, by: run) {
            for one in left where start < one.count { rest += one[start..<min(start + run, one.count)] }
        }
        return first + marks.joined() + rest
    }
}
