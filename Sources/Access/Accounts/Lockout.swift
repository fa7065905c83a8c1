/// Counts what went wrong with signing in, by account and by address, and locks out who tries too often.
///
/// A lock lasts `time`, the next one twice as long, up to `longest`; one without a failure for `longest` begins anew. What is
/// tried while it lasts does not count, so that nobody can keep somebody else out for ever by going on.
struct Lockout: Sendable {
    enum Subject: Hashable, Sendable {
        case account(String)
        /// An IPv4 address, or the network of 64 bits that an IPv6 address belongs to.
        case address([UInt8])

        init(address: String) {
            guard let found = NetworkAddress(address) else {
                self = .address([])
                return
            }
            self = .address(found.isIPv4 ? found.bytes : Array(found.bytes.prefix(8)))
        }
    }

    private struct Entry {
        /// Seconds since 1970.
        var failures: [Double] = []
        /// Tries whose end is not known yet: guesses that are sent all at once do not get past the limit.
        var underWay = 0
        var lockedUntil: Double = 0
        var lockCount = 0

        var last: Double { max(failures.last ?? 0, lockedUntil) }
    }

    /// Accounts and addresses that are remembered; beyond it those that failed longest ago are forgotten.
    static let subjectLimit = 65_536

    private let settings: AccountSettings.Lockout
    private var entries: [Subject: Entry] = [:]

    init(_ settings: AccountSettings.Lockout) { self.settings = settings }

    var count: Int { entries.count }

    /// Begins a try for all of these, unless one of them is locked out.
    ///
    /// - Returns: whether it may go on; then `end` must follow.
    mutating func begin(_ subjects: [Subject], now: Double) -> Bool {
        guard subjects.allSatisfy({ mayTry($0, now: now) }) else { return false }
        for subject in subjects {
            makeRoom(for: subject, now: now)
            entries[subject, default: Entry()].underWay += 1
        }
        return true
    }

    /// Ends a try that `begin` let go on.
    ///
    /// - Returns: those that are locked out from now on.
    mutating func end(_ subjects: [Subject], failed: Bool, now: Double) -> [Subject] {
        subjects.filter { subject in
            guard var entry = entries[subject] else { return false }
            entry.underWay -= 1
            guard failed else {
                entries[subject] = entry.underWay == 0 && entry.failures.isEmpty && entry.lockCount == 0 ? nil : entry
                return false
            }
            if now - entry.last > settings.longest { entry.lockCount = 0 }
            entry.failures = entry.failures.filter { now - $0 < settings.window } + [now]
            let isLocked = entry.failures.count >= limit(of: subject)
            if isLocked {
                entry.failures = []
                entry.lockedUntil = now + duration(entry.lockCount)
                entry.lockCount += 1
            }
            entries[subject] = entry
            return isLocked
        }
    }

    /// Forgets what an account did wrong.
    mutating func clear(_ subject: Subject) {
        guard let entry = entries[subject] else { return }
        var kept = Entry()
        kept.underWay = entry.underWay
        entries[subject] = kept.underWay == 0 ? nil : kept
    }

    func isLocked(_ subject: Subject, now: Double) -> Bool { (entries[subject]?.lockedUntil ?? 0) > now }

    private func mayTry(_ subject: Subject, now: Double) -> Bool {
        guard let entry = entries[subject] else { return true }
        guard entry.lockedUntil <= now else { return false }
        return entry.failures.count { now - $0 < settings.window } + entry.underWay < limit(of: subject)
    }

    private func limit(of subject: Subject) -> Int {
        if case .account = subject { settings.accountFailures } else { settings.addressFailures }
    }

    /// Of the lock after so many.
    private func duration(_ count: Int) -> Double {
        min(settings.longest, settings.time * Double(1 << min(count, 30)))
    }

    private mutating func makeRoom(for subject: Subject, now: Double) {
        guard entries[subject] == nil, entries.count >= Self.subjectLimit else { return }
        entries = entries.filter { _, entry in
            entry.underWay > 0 || now - entry.last < (entry.lockCount > 0 ? settings.longest : settings.window)
        }
        guard entries.count >= Self.subjectLimit else { return }
        let idle = entries.filter { $0.value.underWay == 0 }
        let oldest = idle.min {
            ($0.value.lockedUntil > now ? 1 : 0, $0.value.last) < ($1.value.lockedUntil > now ? 1 : 0, $1.value.last)
        }
        if let oldest { entries[oldest.key] = nil }
    }
}

/// What the configuration decides about accounts.
public struct AccountSettings: Sendable {
    public struct Lockout: Sendable {
        /// Failures within the window that lock an account out, and an address.
        public var accountFailures = 5
        public var addressFailures = 5
        /// Seconds.
        public var window: Double = 900
        /// Seconds that the first lock lasts, and the longest one.
        public var time: Double = 900
        public var longest: Double = 86_400

        public init() {}
    }

    public var lockout = Lockout()
    /// Seconds after which a password must be changed; 0 for never.
    public var passwordAge: Double = 90 * 86_400
    /// Former passwords that may not be chosen again.
    public var passwordHistory = 5
    /// Seconds for which a one-time password is good.
    public var invitationTime: Double = 7 * 86_400
    /// What authenticators show above the code.
    public var issuer = "Huizhen"
    var countLimit = Account.countLimit

    public init() {}
}
