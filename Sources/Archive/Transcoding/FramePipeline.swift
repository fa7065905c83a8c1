import DICOM
import Foundation

/// Codes the frames of one object on several threads and gives them in order.
///
/// Holds at most `lead` coded frames. Whoever lets go of it stops the threads after their frame.
final class FramePipeline: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked.

    /// Bytes of native frames that may be held; at least one frame is.
    static let heldByteCountLimit: UInt64 = 256 << 20
    /// The most frames that are worked on at a time.
    static let threadLimit = 8

    private let work: FrameWork
    private let coder: any FrameCoder
    private let read: @Sendable (Int) throws -> [UInt8]
    private let lead: Int
    private let condition = NSCondition()
    private var done: [Int: Result<[UInt8], any Error>] = [:]
    private var nextToCode = 0
    private var nextToGive = 0
    private var isStopped = false
    private var hasThreads = false

    init(_ work: FrameWork, coder: any FrameCoder, read: @escaping @Sendable (Int) throws -> [UInt8]) {
        self.work = work
        self.coder = coder
        self.read = read
        let frameByteCount = max(1, work.native.frameByteCount, work.target.frameByteCount)
        let fitting = Int(clamping: Self.heldByteCountLimit / frameByteCount)
        lead = max(1, min(2 * coder.concurrency, 2 * Self.threadLimit, fitting))
    }

    /// The frames; pulled on one thread, in order.
    var source: FrameSource {
        FrameSource(frameCount: work.frameCount) { [self] index, give in
            try next(index).withUnsafeBytes { try give($0) }
        }
    }

    /// Native bytes for each coded one, of the first frame: an estimate for all, since it is told before they are given.
    func firstRatio() throws -> Double {
        let first = try coded(0)
        return Double(work.native.frameByteCount) / Double(max(1, first.count))
    }

    func stop() {
        condition.lock()
        isStopped = true
        done = [:]
        condition.broadcast()
        condition.unlock()
    }

    private func next(_ index: Int) throws -> [UInt8] {
        // One frame, or room for one: a thread more would gain nothing.
        if work.frameCount == 1 || lead == 1 { return try coded(index) }
        condition.lock()
        if !hasThreads {
            hasThreads = true
            for _ in 0..<min(coder.concurrency, Self.threadLimit, work.frameCount) { startThread() }
        }
        nextToGive = index
        condition.broadcast()
        while done[index] == nil { condition.wait() }
        let result = done.removeValue(forKey: index)
        condition.unlock()
        return try result?.get() ?? []
    }

    private func startThread() {
        let thread = Thread { [self] in
            while let index = take() {
                let result = Result { try coded(index) }
                condition.lock()
                if !isStopped { done[index] = result }
                condition.broadcast()
                condition.unlock()
            }
        }
        thread.name = "frames"
        thread.stackSize = 1 << 20
        thread.start()
    }

    private func take() -> Int? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopped, nextToCode < work.frameCount, nextToCode >= nextToGive + lead { condition.wait() }
        guard !isStopped, nextToCode < work.frameCount else { return nil }
        nextToCode += 1
        return nextToCode - 1
    }

    private func coded(_ index: Int) throws -> [UInt8] {
        var frame = try read(index)
        if work.sourceCoding == .native { work.orderBytes(&frame) }
        return work.isCopy ? frame : try coder.code(frame, work)
    }
}
