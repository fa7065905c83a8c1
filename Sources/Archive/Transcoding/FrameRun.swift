/// Frames or pictures of one object in the order they are asked for, several made at a time.
///
/// Holds at most `lead` of them and no thread: they are begun when one is taken. Used by one thread at a time.
public final class FrameRun {
    private let lead: Int
    private let begin: (Int) throws -> FramePromise?
    private var begun: [FramePromise] = []
    private var next = 0
    private var isAtEnd = false
    /// Why the next one could not be begun; told when it is its turn.
    private var failure: (any Error)?

    /// - Parameters:
    ///   - lead: how many are begun before the first is taken, 1 or more.
    ///   - begin: reads and begins the one of an index, counted from 0; called in order until it gives nil.
    public init(lead: Int, begin: @escaping (Int) throws -> FramePromise?) {
        self.lead = max(1, lead)
        self.begin = begin
    }

    /// Waits for the next one; nil behind the last. Blocks.
    ///
    /// - Throws: why this one cannot be had.
    public func take() throws -> [UInt8]? {
        while failure == nil, !isAtEnd, begun.count < lead {
            do {
                if let promise = try begin(next) { begun.append(promise) } else { isAtEnd = true }
            } catch { failure = error }
            next += 1
        }
        guard !begun.isEmpty else {
            if let failure { throw failure }
            return nil
        }
        return try begun.removeFirst()()
    }
}
