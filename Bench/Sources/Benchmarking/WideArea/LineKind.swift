/// What a long line is like.
struct LineKind: Sendable {
    let megabitsPerSecond: Int
    let roundTripMilliseconds: Int
    /// Packets lost on the way, of a thousand, in each direction.
    var lostPerThousand = 0.0
    /// What may wait before the line, in milliseconds of its rate.
    var queueMilliseconds = 100

    static let clean = LineKind(megabitsPerSecond: 100, roundTripMilliseconds: 50)
    static let lossy = LineKind(megabitsPerSecond: 100, roundTripMilliseconds: 100, lostPerThousand: 5)
    static let fast = LineKind(megabitsPerSecond: 1000, roundTripMilliseconds: 20)
    static let long = LineKind(megabitsPerSecond: 100, roundTripMilliseconds: 100)

    var words: String {
        let rate = megabitsPerSecond < 1000 ? "\(megabitsPerSecond) Mbit/s" : "\(megabitsPerSecond / 1000) Gbit/s"
        let loss = lostPerThousand == 0 ? "no loss" : "\(Figures.text(lostPerThousand / 10)) % loss"
        return "\(rate), \(roundTripMilliseconds) ms, \(loss)"
    }

    var bytesPerSecond: Double { Double(megabitsPerSecond) * 125_000 }
    var roundTrip: Double { Double(roundTripMilliseconds) / 1000 }

    /// As `wanline` takes it.
    func arguments(seed: UInt64) -> [String] {
        [
            "rate=\(megabitsPerSecond * 1_000_000)", "delay=\(roundTripMilliseconds * 500)",
            "loss=\(Int(lostPerThousand * 1000))", "queue=\(queueMilliseconds * 1000)", "seed=\(seed)",
        ]
    }
}
