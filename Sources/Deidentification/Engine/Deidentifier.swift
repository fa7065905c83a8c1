import DICOM
import Keys
import Synchronization

/// Bounds of one instance.
public struct DeidentificationLimits: Hashable, Sendable {
    /// Bytes of everything but pixel data.
    public var headerByteCount = 64 << 20
    /// Bytes of one coded frame.
    public var frameByteCount = FrameCleaner.frameByteCountLimit
    /// Sequences inside sequences.
    public var depth = 64

    public init() {}
}

/// De-identifies instances under one profile with one project's key. PS3.15 Annex E.
///
/// Any thread; each `instance` is one thread's. Plans are made once for each SOP class.
public final class Deidentifier: Sendable {
    public let profile: Profile
    public let limits: DeidentificationLimits
    public let rules: SiteRules
    let pixelCleaner: (any PixelCleaner)?
    let escrow: Escrow?
    private let key: ProjectKey
    private let nested: NestedPlan
    private let state = Mutex(State())

    private struct State: ~Copyable {
        var plans: [String: Plan] = [:]
        var idle: [Idle] = []
    }

    /// Handed from one user to the next under the lock.
    private struct Idle: @unchecked Sendable { let pseudonyms: Pseudonyms }

    /// SOP classes whose plans are kept; those of more are made anew.
    private static let planLimit = 512

    /// - Parameters:
    ///   - rules: read for `profile`; their options change it.
    ///   - pixelCleaner: nil where nothing cleans pixels: then what must be cleaned is quarantined.
    ///   - escrow: nil where nobody may bring the identity back.
    public init(
        profile: Profile, rules: SiteRules = .none, key: ProjectKey, pixelCleaner: (any PixelCleaner)? = nil,
        escrow: Escrow? = nil, limits: DeidentificationLimits = DeidentificationLimits()
    ) {
        let profile = rules.changedProfile ?? profile
        self.profile = profile
        self.rules = rules
        self.key = key
        self.pixelCleaner = pixelCleaner
        self.escrow = escrow
        self.limits = limits
        nested = NestedPlan(profile, rules: rules)
    }

    func plan(_ sopClassUID: String) -> Plan {
        if let plan = state.withLock({ $0.plans[sopClassUID] }) { return plan }
        let plan = Plan(profile, rules: rules, sopClassUID: sopClassUID, nested: nested)
        state.withLock { state in
            if state.plans.count >= Self.planLimit { state.plans.removeAll() }
            state.plans[sopClassUID] = plan
        }
        return plan
    }

    /// Pseudonyms nobody else uses now.
    func borrowPseudonyms() throws(KeyError) -> Pseudonyms {
        if let idle = state.withLock({ $0.idle.popLast() }) { return idle.pseudonyms }
        return try Pseudonyms(key)
    }

    func giveBack(_ pseudonyms: Pseudonyms) {
        let idle = Idle(pseudonyms: pseudonyms)
        state.withLock { $0.idle.append(idle) }
    }

    /// The UID that stands for another in what this makes: itself where UIDs are retained, or the standard registers it.
    public func released(uid: String) throws(KeyError) -> String {
        if profile.has(.retainUIDs) || WellKnownUIDs.contains(uid) { return uid }
        let pseudonyms = try borrowPseudonyms()
        defer { giveBack(pseudonyms) }
        return try pseudonyms.uid(uid)
    }

    /// De-identifies a header, for who is shown attributes of the instance and nothing else.
    ///
    /// - Parameter header: without pixel data, text in UTF-8; values that it holds by their place only are left out.
    /// - Throws: what keeps the instance from being passed on, as far as its header tells.
    public func released(header: Dataset) throws(DeidentificationError) -> Dataset {
        let pass = InstancePass(self, .explicitVRLittleEndian, isReporting: false, output: NoOutput())
        do throws(InstancePass.Stop) { return try pass.released(header.held) } catch {
            throw InstanceDeidentification.error(.receiver(error))
        }
    }

    /// Whether an object of a transfer syntax may come out in another one than its frames have.
    public func mayRecode(_ source: TransferSyntax) -> Bool { pixelCleaner?.mayRecode(source) ?? false }

    /// Begins an instance, whose dataset is fed in pieces of any size.
    ///
    /// - Parameters:
    ///   - transferSyntax: of the source.
    ///   - isReporting: whether what was done is listed.
    ///   - output: takes the result; to be thrown away unless `finish` returns.
    public func instance(
        transferSyntax: TransferSyntax, isReporting: Bool = true, output: any DeidentificationOutput
    ) -> InstanceDeidentification {
        InstanceDeidentification(self, transferSyntax, isReporting: isReporting, output: output)
    }
}

/// One instance on its way. Used by one thread; holds everything but pixel data, and one coded frame.
public struct InstanceDeidentification: ~Copyable {
    private let pass: InstancePass
    private var scanner: SplittingScanner<InstancePass>
    private var failure: DeidentificationError?

    init(
        _ deidentifier: Deidentifier, _ transferSyntax: TransferSyntax, isReporting: Bool,
        output: any DeidentificationOutput
    ) {
        pass = InstancePass(deidentifier, transferSyntax, isReporting: isReporting, output: output)
        var limits = ScanLimits()
        limits.depth = deidentifier.limits.depth
        limits.headerByteCount = deidentifier.limits.headerByteCount
        limits.heldValueByteCount = deidentifier.limits.headerByteCount
        scanner = SplittingScanner(transferSyntax: transferSyntax, limits: limits, receiver: pass)
        if !transferSyntax.isStorable || !TransferSyntax.isKnown(uid: transferSyntax.uid) {
            failure = .quarantined(.transferSyntax)
        }
    }

    /// The next bytes of the source's dataset.
    ///
    /// - Throws: why there is no result; then every further call throws the same.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer) throws(DeidentificationError) {
        if let failure { throw failure }
        do throws(SplittingError<InstancePass.Stop>) { try scanner.feed(bytes) } catch {
            failure = Self.error(error)
            throw Self.error(error)
        }
    }

    public mutating func feed(_ bytes: [UInt8]) throws(DeidentificationError) {
        try bytes.withUnsafeBufferPointer { buffer throws(DeidentificationError) in
            try feed(UnsafeRawBufferPointer(buffer))
        }
    }

    /// The rest; what was put out is good once this returns.
    public consuming func finish() throws(DeidentificationError) -> InstanceReport {
        if let failure { throw failure }
        let pass = self.pass
        let scanned: ScannedDataset
        do throws(SplittingError<InstancePass.Stop>) { scanned = try scanner.finish() } catch {
            throw Self.error(error)
        }
        if scanned.isTruncated { throw .quarantined(.truncated) }
        if scanned.isDamaged { throw .quarantined(.damaged) }
        do throws(InstancePass.Stop) { return try pass.finish(scanned.header) } catch {
            throw Self.error(.receiver(error))
        }
    }

    fileprivate static func error(_ error: SplittingError<InstancePass.Stop>) -> DeidentificationError {
        switch error {
        case .unreadable(let error): .quarantined(.unreadable(error))
        case .receiver(.quarantine(let reason)): .quarantined(reason)
        case .receiver(.output(let error)): .output(error)
        }
    }
}

/// Where nothing is put out.
private final class NoOutput: DeidentificationOutput {
    func begin(_ header: OutputHeader) {}
    func write(_ bytes: UnsafeRawBufferPointer) {}
}

extension Dataset {
    /// Without what is held by its place only.
    fileprivate var held: Dataset {
        Dataset(
            elements.compactMap { element in
                switch element.value {
                case .bytes: return element
                case .bulk, .fragments: return nil
                case .items(let items):
                    var result = element
                    result.value = .items(items.map(\.held))
                    return result
                }
            })
    }
}
