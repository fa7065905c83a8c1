import Synchronization

/// What one association, import or transfer brings: while it is open, the studies it has brought objects of are not
/// complete. Dropping it ends it.
public final class Arrival: Sendable {
    private let studies = Mutex<Set<String>>([])
    private let board: ArrivalBoard

    init(board: ArrivalBoard) { self.board = board }

    deinit { board.leave(studies.withLock { $0 }) }

    func note(_ study: String) {
        if studies.withLock({ $0.insert(study).inserted }) { board.enter(study) }
    }
}

/// The studies that are arriving, by how many ways.
final class ArrivalBoard: Sendable {
    private let open = Mutex<[String: Int]>([:])

    func enter(_ study: String) { open.withLock { $0[study, default: 0] += 1 } }

    func leave(_ studies: Set<String>) {
        open.withLock { open in
            for study in studies {
                let left = open[study, default: 1] - 1
                open[study] = left > 0 ? left : nil
            }
        }
    }

    var studies: Set<String> { open.withLock { Set($0.keys) } }
}
