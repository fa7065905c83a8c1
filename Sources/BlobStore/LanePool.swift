import Glibc
import Keys

/// One writer at a time: its pipeline with buffers and thread.
final class Lane: Sendable {
    let number: Int
    let pipeline: ContentPipeline

    init(number: Int) throws(KeyError) {
        self.number = number
        pipeline = try ContentPipeline()
    }
}

/// Hands out lanes; the lowest number first, so that few packs are written when few write.
final class LanePool: @unchecked Sendable {  // all state is behind the gate
    private let limit: Int
    private let gate = ConditionLock()
    private var free: [Lane] = []
    private var openCount = 0
    private var isClosed = false

    init(limit: Int) { self.limit = limit }

    /// A lane nobody uses; waits when all `limit` are in use.
    func take() throws(BlobError) -> Lane {
        gate.lock()
        defer { gate.unlock() }
        while true {
            if isClosed { throw .closed }
            if let index = free.indices.min(by: { free[$0].number < free[$1].number }) {
                return free.remove(at: index)
            }
            if openCount < limit {
                let number = openCount
                let lane = try BlobError.unlocking { () throws(KeyError) in try Lane(number: number) }
                openCount += 1
                return lane
            }
            gate.wait()
        }
    }

    /// Whether fewer objects are being written than there are processors.
    var hasIdleProcessor: Bool { gate.locked { openCount - free.count < Self.processorCount } }

    private static let processorCount = sysconf(Int32(_SC_NPROCESSORS_ONLN))

    func giveBack(_ lane: Lane) {
        let mustStop = gate.locked {
            if !isClosed { free.append(lane) }
            gate.wakeAll()
            return isClosed
        }
        if mustStop { lane.pipeline.stop() }
    }

    /// Refuses new writers and ends the threads of idle lanes; a writer that is at work ends its own when it is done.
    func close() {
        let idle = gate.locked {
            isClosed = true
            defer { free = [] }
            gate.wakeAll()
            return free
        }
        for lane in idle { lane.pipeline.stop() }
    }
}
