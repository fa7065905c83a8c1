import Foundation

/// One contestant of a row over the web.
struct WebSide {
    let contestant: Contestant
    let server: Server
    let door: WebDoor

    var label: String { contestant.label }

    /// Starts everyone that takes part in a row over the web.
    static func start(_ session: Session, withPeer: Bool = true) throws(BenchError) -> [WebSide] {
        var sides: [WebSide] = []
        for contestant in session.taking(part: withPeer ? [.huizhen, .orthancWeb] : [.huizhen]) {
            let server = try session.start(contestant)
            sides.append(
                WebSide(contestant: contestant, server: server, door: try session.door(of: server, contestant)))
        }
        return sides
    }

    /// Stores a study by C-STORE, which all of them do well.
    func store(_ study: TestStudy, _ session: Session) throws(BenchError) {
        _ = try session.clients.store(
            study.shares(associations: study.parts.count), to: server, .tuned, atMost: WorkBound.store)
    }
}

extension [LaneResult] {
    /// Huizhen's own figure against a goal for this machine's class, then its ratio to the peer in the same rounds.
    ///
    /// - Parameter suffix: what the lanes' labels have behind the contestant's.
    func judgeWeb(
        _ suffix: String = "", unit: String, goal: Goal?, ratio: Goal?, hasPeer: Bool = true
    ) -> [Judgement] {
        let mine = first { $0.label == Contestant.huizhen.label + suffix }
        let peer = first { $0.label == Contestant.orthancWeb.label + suffix }
        let own = Judgement(
            subject: Contestant.huizhen.label + suffix, unit: unit, samples: mine?.samples.map(\.value) ?? [],
            goal: goal, disqualified: mine?.failure != nil)
        guard hasPeer else { return [own] }
        let other = Judgement(
            subject: "\(Contestant.huizhen.label) / \(Contestant.orthancWeb.label)\(suffix)", unit: "ratio",
            samples: ratios(of: mine?.samples ?? [], to: peer?.samples ?? []), goal: ratio,
            disqualified: mine?.failure != nil)
        return [own, other]
    }
}

extension Goal {
    /// So many answers in a second, for a figure of microseconds for each.
    static func perSecond(_ count: Int, _ text: String) -> Goal { Goal(atMost: 1e6 / Double(count), text: text) }
}

/// What rows over the web say of their client.
enum WebNotes {
    static let client =
        "One small client for all: HTTP/1.1 over sockets, one thread a connection, kept alive; bodies are counted, not read."
    static let perAnswer = "Microseconds for each answer: the time of all, divided by their number; 50 µs are 20,000/s."
}
