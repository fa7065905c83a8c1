import Queue
import Synchronization

/// What the configuration decides of transfers.
public struct TransferSettings: Sendable {
    /// Whether compression is used where it pays.
    public var compresses = true
    /// Bytes a second of everything that is sent; nil for no bound.
    public var rate: Int?
    /// How long the other side may take to answer.
    public var answerTime = Duration.seconds(120)
    /// How the kernel paces what is sent; nil for its own way.
    public var congestionControl: String? = "bbr"
    /// After how much silence what arrived of an unfinished transfer is given up.
    public var keepTime = Duration.seconds(7 * 86_400)
    public var queue = QueueSettings()

    public init() {}
}

/// The bounds on what is sent: of all together, and of each site.
final class RateLimits: Sendable {
    private let all: RateLimit
    private let sites = Mutex<[String: (rate: Int, limit: RateLimit)]>([:])

    init(_ rate: Int?) { all = RateLimit(rate) }

    func pass(
        _ byteCount: Int, of transfer: String, to site: String, rate: Int?, priority: Int, unless shouldStop: () -> Bool
    ) throws(TransferError) {
        if let rate {
            let limit = sites.withLock { sites in
                if let held = sites[site], held.rate == rate { return held.limit }
                let made = RateLimit(rate)
                sites[site] = (rate, made)
                return made
            }
            try limit.pass(byteCount, of: transfer, priority: priority, unless: shouldStop)
        }
        try all.pass(byteCount, of: transfer, priority: priority, unless: shouldStop)
    }
}

extension TransferSettings {
    /// For one question.
    var lonelyClient: SiteClient.Settings {
        var result = client
        result.preparedConnectionCount = 0
        return result
    }

    var client: SiteClient.Settings {
        var result = SiteClient.Settings()
        result.answerTime = answerTime
        result.congestionControl = congestionControl
        result.preparedConnectionCount = Carrier.firstThreadCount
        return result
    }
}
