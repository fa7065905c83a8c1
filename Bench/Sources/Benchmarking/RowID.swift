/// The rows of the table, in its order.
public enum RowID: String, CaseIterable, Codable, Sendable {
    case storeCTStock = "store-ct-stock"
    case storeCTTuned1 = "store-ct-tuned-1"
    case storeCTTuned4 = "store-ct-tuned-4"
    case storeCTTLS = "store-ct-tls"
    case storeCTCompressed = "store-ct-compressed"
    case storeSmall1 = "store-small-1"
    case storeSmall4 = "store-small-4"
    case moveCT = "move-ct"
    case getCT = "get-ct"
    case moveTranscoded = "move-ct-transcoded"
    case findImages = "find-images"
    case memory = "memory-4x1GB"
    case silentPeers = "silent-50"
    case scale
    case sealed = "sealed-search"
    case keyRotation = "key-rotation"
    case auditLog = "audit-log"
    case decision = "decision"
    case webStudy = "web-study"
    case webMetadata = "web-metadata"
    case webQIDOInstances = "web-qido-instances"
    case webQIDOStudies = "web-qido-studies"
    case webFrames = "web-frames"
    case webRendered = "web-rendered"
    case webLarge = "web-frame-of-10000"
    case webStow = "web-stow"
    case web500 = "web-500"
    case webSlow = "web-slow"
    case webStudyTLS = "web-study-tls"
    case webFramesTLS = "web-frames-tls"
    case transferLoopback = "transfer-loopback"
    case transferMemory = "transfer-memory"
    case wideClean = "wan-100mbit-50ms"
    case wideLossy = "wan-100mbit-100ms-lossy"
    case wideFast = "wan-1gbit-20ms"
    case wideCleanCold = "wan-cold-100mbit-50ms"
    case wideLossyCold = "wan-cold-100mbit-100ms-lossy"
    case wideFastCold = "wan-cold-1gbit-20ms"
    case wideSmall = "wan-small-100mbit-100ms"
    case wideFirstImage = "wan-first-image"
    case deidentifyCT = "deidentify-ct"
    case deidentifyFiles = "deidentify-files"
    case deidentifyEngine = "deidentify-engine"
    case deidentifyMemory = "deidentify-memory"
    case deidentifyLeaks = "deidentify-leaks"
    case hugeTransferMemory = "huge-transfer-memory"

    /// Rows that run only when they are named: those over an emulated long line, which need root and take long, and the one
    /// that fills 40 GB of the disk.
    var isNamedOnly: Bool { rawValue.hasPrefix("wan-") || self == .hugeTransferMemory }

    /// Rows whose name begins with one of the given ones; all that need not be named for none.
    ///
    /// - Throws: `.badOption` for a name that no row begins with.
    public static func matching(_ names: [String]) throws(BenchError) -> [RowID] {
        guard !names.isEmpty else { return allCases.filter { !$0.isNamedOnly } }
        for name in names where !allCases.contains(where: { $0.rawValue.hasPrefix(name) }) {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw .badOption("no row begins with \(name); rows: \(known)")
        }
        return allCases.filter { row in names.contains { row.rawValue.hasPrefix($0) } }
    }

    func scenario(quick: Bool) -> any Scenario {
        switch self {
        case .storeCTStock: StoreScenario.ctStock(quick: quick)
        case .storeCTTuned1: StoreScenario.ctTuned(self, associations: 1, quick: quick)
        case .storeCTTuned4: StoreScenario.ctTuned(self, associations: 4, quick: quick)
        case .storeCTTLS: StoreScenario.ctTLS(quick: quick)
        case .storeCTCompressed: CompressionScenario(id: self, form: "htj2k")
        case .storeSmall1:
            StoreScenario.small(self, associations: 1, goal: .ratio(to: .orthancTuned, 1, 3), quick: quick)
        case .storeSmall4:
            StoreScenario.small(self, associations: 4, goal: .ratio(to: .orthancTuned, 1, 4), quick: quick)
        case .moveCT: RetrieveScenario(id: self, verb: .move, goal: .ratio(to: .orthancTuned, 1, 2))
        case .getCT: RetrieveScenario(id: self, verb: .get, goal: .ratio(to: .orthancTuned, 2, 3))
        case .moveTranscoded: TranscodeScenario(id: self)
        case .findImages: FindScenario(id: self)
        case .memory: MemoryScenario(id: self)
        case .silentPeers: SilentPeersScenario(id: self)
        case .scale: ScaleScenario(id: self, quick: quick)
        case .sealed: SealedScenario(id: self, quick: quick)
        case .keyRotation: KeyRotationScenario(id: self, quick: quick)
        case .auditLog: AuditScenario(id: self, quick: quick)
        case .decision: DecisionScenario(id: self, quick: quick)
        case .webStudy: WebStudyScenario(id: self, verb: .retrieve, quick: quick)
        case .webStow: WebStudyScenario(id: self, verb: .store, quick: quick)
        case .webMetadata: WebMetadataScenario(id: self, quick: quick)
        case .webQIDOInstances: WebInstancesScenario(id: self, quick: quick)
        case .webQIDOStudies: WebStudiesScenario(id: self, quick: quick)
        case .webFrames: WebImagesScenario(id: self, kind: .frames, quick: quick)
        case .webRendered: WebImagesScenario(id: self, kind: .rendered, quick: quick)
        case .webLarge: WebLargeScenario(id: self, quick: quick)
        case .web500: WebCrowdScenario(id: self, quick: quick)
        case .webStudyTLS: WebSecureScenario(id: self, kind: .study, quick: quick)
        case .webFramesTLS: WebSecureScenario(id: self, kind: .frames, quick: quick)
        case .webSlow: WebSlowScenario(id: self, quick: quick)
        case .transferLoopback: TransferLoopbackScenario(id: self)
        case .transferMemory: TransferMemoryScenario(id: self, workload: .large(quick: quick))
        case .hugeTransferMemory: TransferMemoryScenario(id: self, workload: .huge(quick: quick))
        case .wideFirstImage: WideFirstImageScenario(id: self)
        case .wideClean, .wideLossy, .wideFast, .wideCleanCold, .wideLossyCold, .wideFastCold, .wideSmall:
            WideScenario(id: self, quick: quick)
        case .deidentifyCT: DeidentifyStudyScenario(id: self)
        case .deidentifyFiles: DeidentifyFilesScenario(id: self)
        case .deidentifyEngine: DeidentifyEngineScenario(id: self)
        case .deidentifyMemory: DeidentifyMemoryScenario(id: self, quick: quick)
        case .deidentifyLeaks: DeidentifyLeaksScenario(id: self)
        }
    }
}
