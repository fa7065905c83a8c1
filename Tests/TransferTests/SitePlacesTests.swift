import Foundation
import Synchronization
import Testing

@testable import Transfer

/// Places for requests of sites.
struct SitePlacesTests {
    /// What a task has been given.
    private final class Taken: Sendable {
        private let held = Mutex<[SitePlaces.Place]>([])

        func keep(_ place: SitePlaces.Place) { held.withLock { $0.append(place) } }
        func drop() { held.withLock { _ = $0.removeFirst() } }
        var count: Int { held.withLock { $0.count } }
    }

    @Test func keepsPlacesForOtherSitesAndServesWhoWaits() async {
        let places = SitePlaces(limit: 5, limitOfSite: 3)
        let (slow, other) = (Taken(), Taken())
        for _ in 0..<3 { slow.keep(await places.take(for: "SLOW")) }
        // The fourth waits, and keeps nobody else waiting.
        let fourth = Task { slow.keep(await places.take(for: "SLOW")) }
        while places.waitingCount < 1 { await Task.yield() }
        for _ in 0..<2 { other.keep(await places.take(for: "OTHER")) }
        let third = Task { other.keep(await places.take(for: "OTHER")) }
        while places.waitingCount < 2 { await Task.yield() }
        #expect(slow.count == 3 && other.count == 2)
        slow.drop()
        await fourth.value
        #expect(slow.count == 3)
        slow.drop()
        await third.value
        #expect(slow.count == 2 && other.count == 3)
    }

    @Test func givesUpWhatIsQuietLongestOfWhoHasMost() throws {
        let ids = try (0..<4).map { _ in try TransferID() }
        let now = ContinuousClock.now
        let open: [TransferID: (site: String, usedAt: ContinuousClock.Instant)] = [
            ids[0]: ("QUIET", now - .seconds(9)), ids[1]: ("BUSY", now), ids[2]: ("BUSY", now - .seconds(1)),
            ids[3]: ("BUSY", now - .milliseconds(1)),
        ]
        #expect(open.leastWanted { $0 } == ids[2])
    }
}
