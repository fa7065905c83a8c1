import Foundation
import Keys
import Synchronization

/// Has pieces carried by several threads beside each other, each with a connection of its own, until none is left.
///
/// What fails is tried again by whoever is free; the whole fails only when nothing succeeds any more. It begins with a few threads
/// and adds one whenever the last one brought more. Safe from any thread.
final class Carrier: @unchecked Sendable {  // everything is behind the condition
    static let firstThreadCount = 8
    static let threadLimit = 12
    /// Failures one after the other, among all threads, after which the line counts as down.
    static let failureLimit = 6
    /// What the first chunk of a connection holds, in turn, what any holds at least and at most. Bytes. The fewer chunks, the less
    /// often a connection waits for an answer; connections that begin together with the same would all wait at the same time, and
    /// the line with them. Towards the end they become smaller, so that all connections end together.
    static let firstChunkByteCounts = [256 << 10, 512 << 10, 768 << 10, 1 << 20]
    static let leastChunkByteCount = 256 << 10
    static let chunkByteCount = 2 << 20
    /// What a chunk holds at least at the very end, and how long it then takes at least, in round trips and in seconds: in less most
    /// of its time would be waiting for answers, and most of the receiver's work putting objects together.
    static let leastLastByteCount = 64 << 10
    static let leastLastRoundTrips = 2.4
    static let leastLastTime = 0.05
    /// Until one was seen, in seconds.
    static let assumedRoundTrip = 0.05
    /// Up to how many of the least chunks a connection carries in that time and objects are cut.
    static let cutChunkCount = 1.5
    /// Of how many chunks as large as the next the rest of a connection would be.
    static let lastChunkCount = 1.6
    /// Seconds that a chunk takes on the line at most, where it is not the least: what is on a slow connection comes late.
    static let chunkTime = 0.6
    /// After how many times its time, and how many seconds at least, what is on its way counts as late: it is sent a second time
    /// where nothing else is left.
    static let patience = 1.5
    static let leastPatience = 0.2
    /// How long a thread more is given to show what it brings, and what it must bring, in percent.
    static let trial = Duration.seconds(2)
    static let gainPercent = 5.0

    /// Carries pieces; returns bytes on the line.
    typealias Carry = @Sendable ([Piece]) throws(TransferError) -> Int
    /// Told of what is there and was not before, of the chunk's pieces, and of bytes on the line. Must not block.
    typealias Arrived = @Sendable (_ fresh: PiecePlan.Arrival, _ all: [Piece], _ byteCount: Int) -> Void

    private let condition = ConditionLock()
    private var plan = PiecePlan()
    private var threadCount = 0
    private var failures = 0
    private var failure: TransferError?
    private var isEnding = false
    /// Whether nothing more will be wanted before all of this is there.
    private var isFinishing = false
    /// The chunks that are on their way, by their number.
    private var moving: [Int: (thread: Int, byteCount: Int, since: ContinuousClock.Instant)] = [:]
    private let progress: TransferProgress
    private let carry: Carry
    private let arrived: Arrived
    private let shouldStop: @Sendable () -> Bool
    // Of the line.
    private var startedChunks = 0
    private var trialBegan = ContinuousClock.now
    private var trialByteCount = 0
    private var bestRate = 0.0
    private var isGrowing = true
    /// The least round trip that was seen, in seconds.
    private var roundTrip: Double?
    /// Bytes a second of what each thread brought last, by its number: connections get unequal parts of a line.
    private var rates: [Int: Double] = [:]
    private var madeThreadCount = 0

    init(
        progress: TransferProgress, shouldStop: @escaping @Sendable () -> Bool, _ carry: @escaping Carry,
        arrived: @escaping Arrived
    ) {
        self.progress = progress
        self.shouldStop = shouldStop
        self.carry = carry
        self.arrived = arrived
    }

    /// Begins with the threads; they wait for pieces.
    func start() {
        condition.lock()
        trialBegan = .now
        for _ in 0..<Self.firstThreadCount { addThread() }
        condition.unlock()
    }

    /// - Parameter ranges: at which multiples an object's pieces may be cut towards the end; nil for nowhere.
    func want(_ pieces: [Piece], ranges: (_ object: Int) -> UInt64? = { _ in nil }) {
        condition.lock()
        isFinishing = false
        plan.want(pieces, ranges: ranges)
        condition.wakeAll()
        condition.unlock()
    }

    /// Notes how long a short question took to be answered.
    func noteRoundTrip(_ time: Duration?) {
        guard let time else { return }
        condition.lock()
        roundTrip = min(roundTrip ?? .infinity, time / .seconds(1))
        condition.unlock()
    }

    /// Waits until all pieces have been carried.
    ///
    /// - Throws: why they cannot be; nothing is carried any more then.
    func drain() throws(TransferError) { try finish { plan.isDone } }

    /// Waits until the last piece is on its way.
    ///
    /// - Throws: as `drain`.
    func drainToLast() throws(TransferError) { try finish { plan.waitingCount == 0 } }

    /// Whether all pieces have been carried.
    var isDone: Bool {
        condition.lock()
        defer { condition.unlock() }
        return plan.isDone
    }

    private func finish(_ isOver: () -> Bool) throws(TransferError) {
        condition.lock()
        defer { condition.unlock() }
        isFinishing = true
        condition.wakeAll()
        while true {
            if let failure { throw failure }
            if shouldStop() {
                failure = .interrupted
                condition.wakeAll()
                throw .interrupted
            }
            if isOver() { return }
            condition.wait(milliseconds: 200)
        }
    }

    /// Ends the threads and waits for them; forgets what was not carried.
    func end() {
        condition.lock()
        isEnding = true
        condition.wakeAll()
        while threadCount > 0 { condition.wait() }
        condition.unlock()
    }

    /// Called with the condition locked.
    private func addThread() {
        threadCount += 1
        madeThreadCount += 1
        progress.change { $0.connections = threadCount }
        let thread = Thread { [self, number = madeThreadCount] in work(number) }
        thread.name = "transfer"
        thread.stackSize = 1 << 20
        thread.start()
    }

    private func work(_ thread: Int) {
        condition.lock()
        while true {
            if isEnding || failure != nil { break }
            var pieces: [Piece] = []
            if !wouldBeLate(thread) {
                let (byteCount, mayCut) = target(thread)
                pieces = plan.next(target: byteCount, mayCut: mayCut)
                if pieces.isEmpty, isFinishing, repeatLate() { continue }
            }
            if pieces.isEmpty {
                // What is late is looked at now and then; everything else is told.
                condition.wait(milliseconds: isFinishing && plan.underWayCount > 0 ? 50 : 60_000)
                continue
            }
            let number = plan.lastChunk
            let began = ContinuousClock.now
            moving[number] = (thread, pieces.byteCount, began)
            startedChunks += 1
            condition.unlock()
            var outcome: Result<Int, TransferError>
            do throws(TransferError) { outcome = .success(try carry(pieces)) } catch { outcome = .failure(error) }
            condition.lock()
            switch outcome {
            case .success(let count):
                noteRate(of: thread, pieces, began.duration(to: .now))
                succeeded(pieces, count)
            case .failure(let error): failed(pieces, error)
            }
            moving[number] = nil
            condition.wakeAll()
        }
        threadCount -= 1
        condition.wakeAll()
        condition.unlock()
    }

    /// Has what is late, on a connection that gets too little of the line, wait for one that is free. Called with the condition locked.
    ///
    /// - Returns: whether there is any.
    private func repeatLate() -> Bool {
        let late = moving.filter { isLate($0.value.thread, $0.value.byteCount, since: $0.value.since) }
        guard plan.again(chunks: Set(late.keys)) else { return false }
        condition.wakeAll()
        return true
    }

    private func isLate(_ thread: Int, _ byteCount: Int, since began: ContinuousClock.Instant) -> Bool {
        // Before anything came nobody knows what the line gives.
        guard let rate = rates[thread] ?? meanRate else { return false }
        return began.duration(to: .now) > .seconds(max(Self.leastPatience, Self.patience * Double(byteCount) / rate))
    }

    /// What the next chunk of a thread is to hold: as much as it carries in its time, as fast as it was; towards the end a good half
    /// of its part of what is left, for which objects are cut. Called with the condition locked.
    private func target(_ thread: Int) -> (byteCount: Int, mayCut: Bool) {
        guard let own = rates[thread] else {
            return (Self.firstChunkByteCounts[startedChunks % Self.firstChunkByteCounts.count], false)
        }
        var share = 1 / Double(threadCount)
        if let mean = meanRate { share *= own / mean }
        let part = Int(Double(plan.waitingByteCount) * share / Self.lastChunkCount)
        let most = Int(own * Self.chunkTime)
        let isEnd = isFinishing && part < most
        let least = isEnd ? leastLast(own) : Self.leastChunkByteCount
        return (min(Self.chunkByteCount, max(least, min(part, most))), isEnd && isWorthCutting(own))
    }

    /// What a chunk of a connection holds at least at the very end.
    private func leastLast(_ rate: Double) -> Int {
        Int(min(Double(Self.leastChunkByteCount), max(Double(Self.leastLastByteCount), rate * leastLastTime)))
    }

    /// Seconds that a chunk takes at least at the very end.
    private var leastLastTime: Double {
        max(Self.leastLastTime, Self.leastLastRoundTrips * (roundTrip ?? Self.assumedRoundTrip))
    }

    /// Whether its objects are worth being cut, which is work for the receiver: not on a line that carries them in no time.
    private func isWorthCutting(_ rate: Double) -> Bool {
        rate * leastLastTime < Self.cutChunkCount * Double(Self.leastChunkByteCount)
    }

    private var meanRate: Double? {
        rates.isEmpty ? nil : rates.values.reduce(0, +) / Double(rates.count)
    }

    private func noteRate(of thread: Int, _ pieces: [Piece], _ time: Duration) {
        let rate = Double(pieces.byteCount) / max(time / .seconds(1), 0.001)
        rates[thread] = rates[thread].map { ($0 + rate) / 2 } ?? rate
    }

    /// Whether the others carry all that is left before this one would have carried a chunk. Called with the condition locked.
    private func wouldBeLate(_ thread: Int) -> Bool {
        guard isFinishing, let own = rates[thread], let mean = meanRate, own < mean / 2 else { return false }
        let others = mean * Double(rates.count) - own
        return Double(leastLast(own)) / own > Double(plan.waitingByteCount) / others
    }

    private func succeeded(_ pieces: [Piece], _ byteCount: Int) {
        arrived(plan.done(pieces), pieces, byteCount)
        failures = 0
        trialByteCount += byteCount
        let time = trialBegan.duration(to: .now)
        guard time >= (bestRate == 0 ? .milliseconds(200) : Self.trial) else { return }
        let rate = Double(trialByteCount) / (time / .seconds(1))
        let isBetter = rate > bestRate * (1 + Self.gainPercent / 100)
        bestRate = max(bestRate, rate)
        (trialBegan, trialByteCount) = (.now, 0)
        guard isGrowing, plan.waitingCount > 0 else { return }
        if isBetter, threadCount < Self.threadLimit { addThread() } else { isGrowing = false }
    }

    private func failed(_ pieces: [Piece], _ error: TransferError) {
        plan.failed(pieces)
        if failure != nil { return }
        switch error {
        case .unreachable, .busy, .full:
            failures += 1
            guard failures >= Self.failureLimit else {
                // Longer each time; whoever succeeds meanwhile ends it.
                let pause = 0.1 * Double(1 << min(failures, 5)) * Double.random(in: 0.8...1.2)
                let until = ContinuousClock.now + .seconds(pause)
                let seen = failures
                while !isEnding, failure == nil, failures >= seen, !shouldStop() {
                    let left = Int(ContinuousClock.now.duration(to: until) / .milliseconds(1))
                    guard left > 0 else { break }
                    condition.wait(milliseconds: left)
                }
                return
            }
            failure = error
        default: failure = error
        }
    }
}
