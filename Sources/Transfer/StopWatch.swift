import Foundation
import Keys

/// Ends what waits for the other side when we are asked to stop: looks from a thread of its own.
final class StopWatch: @unchecked Sendable {  // everything is behind the condition
    private let condition = ConditionLock()
    private var isEnding = false
    private var isDone = false

    init(_ shouldStop: @escaping @Sendable () -> Bool, _ stop: @escaping @Sendable () -> Void) {
        let thread = Thread { [self] in
            condition.lock()
            while !isEnding {
                if shouldStop() {
                    condition.unlock()
                    stop()
                    condition.lock()
                    break
                }
                condition.wait(milliseconds: 100)
            }
            isDone = true
            condition.wakeAll()
            condition.unlock()
        }
        thread.name = "transfer-stop"
        thread.start()
    }

    func end() {
        condition.lock()
        isEnding = true
        condition.wakeAll()
        while !isDone { condition.wait() }
        condition.unlock()
    }
}
