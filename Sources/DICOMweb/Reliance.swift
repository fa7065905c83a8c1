import Access
import Synchronization

/// What a request rests on besides its credential: what its caller was found to reach, for which act.
///
/// A grant, a consent, an emergency or a role may end while an answer is under way, or a body.
final class Reliance: Sendable {
    private let noted = Mutex<[(verb: Verb, reach: Reach)]>([])

    func note(_ verb: Verb, _ reach: Reach) { noted.withLock { $0.append((verb, reach)) } }

    /// Whether all of that is reached still.
    ///
    /// - Parameter decide: what is reached for an act now; nil for nothing.
    func holds(_ decide: (Verb) -> Reach?) -> Bool {
        noted.withLock { $0 }.allSatisfy { decide($0.verb)?.covers($0.reach) == true }
    }
}

/// A question that is asked once a second at most; the answer lasts in between.
final class SecondlyQuestion: Sendable {
    private let last: Mutex<(at: ContinuousClock.Instant, answer: Bool)>
    private let ask: @Sendable () -> Bool

    /// - Parameter ask: not asked in the first second.
    init(_ ask: @escaping @Sendable () -> Bool) {
        self.ask = ask
        last = Mutex((.now, true))
    }

    var answer: Bool {
        last.withLock { last in
            guard last.answer, last.at.duration(to: .now) >= .seconds(1) else { return last.answer }
            last = (.now, ask())
            return last.answer
        }
    }
}
