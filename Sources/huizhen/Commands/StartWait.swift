import Foundation
import Glibc

/// Waits for a service that is starting, so that a command may follow at once on what started it.
struct StartWait {
    /// How long one is waited for that holds its directory and does not answer yet.
    static let patience = Duration.seconds(30)
    /// How long one is waited for that may have been started at the same time and does not hold it yet.
    static let grace = Duration.seconds(1)
    /// Microseconds between two tries: no event tells when a socket begins to be listened at.
    private static let pause: useconds_t = 20_000

    private let directory: String
    private let began = ContinuousClock.now
    private var wasHeld = false

    init(dataDirectory: String) { directory = dataDirectory }

    /// Whether what kept from connecting may be that the service is not ready yet: it has no socket, or does not listen at it. That
    /// the socket is another user's does not pass.
    static func mayPass(_ number: Int32) -> Bool { number == ENOENT || number == ECONNREFUSED }

    /// Waits a little.
    ///
    /// - Returns: whether to try again.
    mutating func goesOn() -> Bool {
        let isHeld = DataDirectory.isHeld(directory)
        // It did not come up, or was about to stop.
        if wasHeld, !isHeld { return false }
        wasHeld = isHeld
        guard began.duration(to: .now) < (isHeld ? Self.patience : Self.grace) else { return false }
        usleep(Self.pause)
        return true
    }
}
