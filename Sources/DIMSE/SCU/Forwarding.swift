import Access
import Archive
import Audit
import Catalog
import Foundation
import Queue
import Routing

/// Sends what routes have put into the queue. Used from the queue's lanes.
struct Forwarding: Sendable {
    /// Time between two looks whether to stop.
    static let stopLook = Duration.milliseconds(200)

    let items: SendItems
    let access: Access
    let sender: ObjectSender
    /// What is on its way when it is to stop has this long.
    let stopTimeout: Duration
    /// Does what goes to a site, which takes whole studies.
    let toSite: (@Sendable (ForwardWork, Peer, _ priority: Int) -> JobOutcome)?

    func perform(_ run: JobRun) -> JobOutcome {
        guard let work = try? JSONDecoder().decode(ForwardWork.self, from: Data(run.payload)) else {
            return .hopeless("the job cannot be read")
        }
        if let site = access.peer(aeTitle: work.destination), site.site != nil, let toSite {
            return toSite(work, site, run.job.priority)
        }
        guard !work.isGranted else {
            return .hopeless("\(work.destination) is no site: what goes by a grant goes to sites")
        }
        guard let peer = access.peer(aeTitle: work.destination), peer.host != nil, peer.port != nil else {
            return .unavailable("\(work.destination) is no peer with an address and a port")
        }
        guard access.mayCall(peer) else {
            return .unavailable("\(work.destination) is over the network and allows no plain DICOM")
        }
        do throws(Denial) { try access.requireDestination(peer, for: nil, by: .service, door: "routing") } catch {
            switch error {
            case .refused(let why): return .hopeless(why + ", then `huizhen queue retry`")
            case .notRecorded: return .unavailable("the refusal cannot be recorded: see the service's log")
            }
        }
        let holdings: [Holding]
        do {
            // What was removed since is not sent.
            holdings = try items.archive.catalog.holdings(sequences: work.sequences, shownOnly: true)
        } catch { return .unavailable("\(error)") }
        guard !holdings.isEmpty else { return .done }
        let destination = AuditObject(.destination, work.destination)
        do throws(Denial) {
            try access.record([
                AuditEntry(
                    .transferred, by: .service, door: "routing",
                    objects: AuditObject.objects(of: holdings) + [destination],
                    instanceCount: UInt64(holdings.count), reason: peer.release?.words ?? "")
            ])
        } catch { return .unavailable("what is sent cannot be recorded: see the service's log") }
        let sending = sender.start(items.items(holdings, by: peer.release), to: peer)
        var end: ContinuousClock.Instant?
        while !sending.waitForProgress(until: .now + Self.stopLook) {
            guard run.shouldStop else { continue }
            guard let end else {
                sending.cancel()
                end = .now + stopTimeout
                continue
            }
            if .now >= end { sending.abort() }
        }
        return conclude(sending, work, holdings, run)
    }

    private func conclude(_ sending: SendRun, _ work: ForwardWork, _ holdings: [Holding], _ run: JobRun) -> JobOutcome {
        let missing = Set(sending.undelivered)
        let rest = holdings.filter { missing.contains($0.sopInstanceUID) }.map(\.sequence)
        let delivered = sending.counts.completed + sending.counts.warning
        if rest.isEmpty { return .done }
        if delivered > 0 {
            var left = work
            left.sequences = rest
            do {
                try run.save(payload: Array(try JSONEncoder().encode(left)), remaining: rest.count)
            } catch { return .unavailable("\(error)") }
        }
        if run.shouldStop { return .interrupted }
        // Not even an association was made: it is the destination that fails, not the objects.
        if let error = sending.error, !sending.wasOpened { return .unavailable("\(error)") }
        let refusals = sending.answeredStatuses.filter { !$0.key.isSuccess && !$0.key.isWarning }
        let told = refusals.keys.sorted { $0.rawValue < $1.rawValue }.map(\.description).joined(separator: ", ")
        return .failed(
            "\(rest.count) of \(holdings.count) not taken" + (told.isEmpty ? "" : ", answered \(told)")
                + ((sending.notSentReason ?? sending.error.map { "\($0)" }).map { ": \($0)" } ?? ""))
    }
}
