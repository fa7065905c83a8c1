import Access
import Foundation
import Queue
import Routing

/// What the operator's tools ask of the running service.
public enum ControlRequest: Codable, Sendable {
    case status
    case peers
    case addPeer(Peer, secrets: PeerSecrets = PeerSecrets())
    case removePeer(aeTitle: String)
    case testPeer(aeTitle: String)
    case conflicts
    case remove(
        study: String, series: String?, instance: String?, now: Bool, accessionNumbers: [String], by: String,
        reason: String)
    case restore(study: String)
    case hold(study: String, on: Bool)
    case verify
    /// A de-identified copy of a study, beside it.
    case release(study: String, ReleaseRule)
    case routes
    case addRoute(Route)
    case removeRoute(name: String)
    case jobs(states: [Job.State], limit: Int)
    case retryJob(Int64)
    case cancelJob(Int64)
    case pauseLane(String, on: Bool)
    case reindex
    /// Certificate, key, authorities and revocation lists are read again.
    case reloadTLS
    case keys(KeyRequest)
    /// A token for the web door, good for so many seconds.
    case webToken(seconds: Int)
    case correct(CorrectionRequest)
    case access(AccessRequest)
    case oversight(OversightRequest)
    case user(UserRequest)
    case token(TokenRequest)
    case share(ShareRequest)
    case files(FileRequest)
    case audit(AuditRequest)
    case transfer(TransferRequest)
    /// Objects follow; each is answered by a `.stored`.
    case `import`(peer: String)
    /// Objects come back, in one of the transfer syntaxes; those in none of them are rewritten in the first. With none
    /// named they come as they are stored.
    ///
    /// With `original` they come without corrections.
    case export(
        studies: [String], series: [String], instances: [String], transferSyntaxes: [String] = [],
        original: Bool = false, destination: String? = nil)
    /// How much an export of these would be.
    case measure(studies: [String], series: [String], instances: [String])
}

/// What precedes an object's bytes on the socket.
public struct ObjectHead: Codable, Sendable {
    public var transferSyntaxUID: String
    public var sopClassUID: String
    public var sopInstanceUID: String
    /// Where the catalogue has it; nil on the way in.
    public var studyInstanceUID: String?
    public var seriesInstanceUID: String?
    public var issuerOfPatientID: String?

    public init(
        transferSyntaxUID: String, sopClassUID: String, sopInstanceUID: String, studyInstanceUID: String? = nil,
        seriesInstanceUID: String? = nil, issuerOfPatientID: String? = nil
    ) {
        self.transferSyntaxUID = transferSyntaxUID
        self.sopClassUID = sopClassUID
        self.sopInstanceUID = sopInstanceUID
        self.studyInstanceUID = studyInstanceUID
        self.seriesInstanceUID = seriesInstanceUID
        self.issuerOfPatientID = issuerOfPatientID
    }
}

/// What the service answers; the last message of an exchange is `.done` or `.failed`.
public enum ControlReply: Codable, Sendable {
    case progress(done: Int, total: Int)
    case status(ServiceStatus)
    case grants([Grant])
    case explained(AccessExplanation)
    case oversight(OversightReply)
    case peers([Peer])
    case conflicts([ConflictReport])
    case removed(instances: Int, destroyAt: Int64, certificate: String)
    case keys(KeyReply)
    case webToken(String)
    case user(UserReply)
    case token(TokenReply)
    case share(ShareReply)
    case files([FileAccount])
    case audit(AuditReply)
    case transfer(TransferReply)
    case corrections([CorrectionReport])
    case corrected(CorrectionSummary)
    case restored(instances: Int)
    case verified(ObjectVerification)
    /// What the copy came to: how many were not kept, by the reason.
    case released(objects: Int, quarantined: [String: Int], study: String?)
    case reindexed(objects: Int, events: Int, damaged: Int)
    /// One imported object's outcome, or why it was refused.
    case stored(outcome: String?, failure: String?)
    case object(ObjectHead)
    /// An object that cannot be had in any of the transfer syntaxes asked for.
    case leftOut(ObjectHead, why: String)
    /// Objects by Transfer Syntax UID, and their bytes as they are stored.
    case measured(transferSyntaxes: [String: Int], byteCount: UInt64)
    case routes([Route])
    case jobs([Job], counts: [String: Int], paused: [String])
    case echoed(milliseconds: Double)
    case done
    case failed(String)
}

/// What compression at rest does.
public struct CompressionStatus: Codable, Sendable {
    /// Objects that compression at rest has not tried.
    public var waiting: Int
    /// Objects compressed since the start, their bytes as they were sent, and those they take.
    public var objects: Int
    public var sentByteCount: UInt64
    public var keptByteCount: UInt64
    /// Objects tried since the start that stay as they were sent.
    public var unsuitable: Int

    public init(waiting: Int, objects: Int, sentByteCount: UInt64, keptByteCount: UInt64, unsuitable: Int) {
        self.waiting = waiting
        self.objects = objects
        self.sentByteCount = sentByteCount
        self.keptByteCount = keptByteCount
        self.unsuitable = unsuitable
    }
}

/// What `huizhen status` shows.
public struct ServiceStatus: Codable, Sendable {
    public var version: String
    public var processID: Int32
    public var dataDirectory: String
    /// Whether who takes the disk of the data has the master key too.
    public var isMasterKeyOnDataDisk = false
    /// When the master key came into use, in milliseconds since 1970; 0 if that is not known.
    public var masterKeySince: Int64 = 0
    /// Whether it is older than it should be.
    public var isMasterKeyRotationDue = false
    public var dimsePort: UInt16
    /// Nil without TLS.
    public var dimseTLSPort: UInt16?
    public var dimseAddresses: [String]
    public var httpPort: UInt16
    /// Where the web door can be called: a name of it, or an address.
    public var webHost = ""
    public var webPort: UInt16 = 0
    public var webTLSHost = ""
    public var webTLSPort: UInt16 = 0
    public var transferPort: UInt16 = 0
    public var aeTitle: String
    public var isOpenToUnknownPeers: Bool
    public var plainNetworkPeers: [String]
    /// Peers of other institutions that nothing is sent to.
    public var unapprovedDestinations: [String] = []
    /// Alerts that nobody acknowledged.
    public var openAlerts = 0
    /// Emergency access that nobody looked at, and what of the permission review is due.
    public var openEmergencies = 0
    public var dueReviews = 0
    public var patients: Int
    public var studies: Int
    public var series: Int
    public var instances: Int
    public var byteCount: UInt64
    public var conflicts: Int
    public var removed: Int
    public var freeByteCount: UInt64
    public var catalogBehind: Int
    /// Objects that were found damaged since the start and not healed; and places that hold one that is in no list.
    public var damagedObjects = 0
    public var unlistedObjects = 0
    /// Why something that is due to be destroyed cannot be; nil for nothing.
    public var housekeeping: String?
    public var reconciledObjects: Int
    public var tornObjects: Int
    /// Jobs of the queue that wait or run, and those that were given up.
    public var waitingJobs: Int
    public var deadJobs: Int
    /// Nil when nothing is compressed at rest.
    public var compression: CompressionStatus?

    public init(
        version: String, processID: Int32, dataDirectory: String, dimsePort: UInt16, dimseTLSPort: UInt16? = nil,
        dimseAddresses: [String],
        httpPort: UInt16, aeTitle: String, isOpenToUnknownPeers: Bool, plainNetworkPeers: [String], patients: Int,
        studies: Int, series: Int, instances: Int, byteCount: UInt64, conflicts: Int, removed: Int,
        freeByteCount: UInt64, catalogBehind: Int, reconciledObjects: Int, tornObjects: Int,
        waitingJobs: Int, deadJobs: Int
    ) {
        self.version = version
        self.processID = processID
        self.dataDirectory = dataDirectory
        self.dimsePort = dimsePort
        self.dimseTLSPort = dimseTLSPort
        self.dimseAddresses = dimseAddresses
        self.httpPort = httpPort
        self.aeTitle = aeTitle
        self.isOpenToUnknownPeers = isOpenToUnknownPeers
        self.plainNetworkPeers = plainNetworkPeers
        self.patients = patients
        self.studies = studies
        self.series = series
        self.instances = instances
        self.byteCount = byteCount
        self.conflicts = conflicts
        self.removed = removed
        self.freeByteCount = freeByteCount
        self.catalogBehind = catalogBehind
        self.reconciledObjects = reconciledObjects
        self.tornObjects = tornObjects
        self.waitingJobs = waitingJobs
        self.deadJobs = deadJobs
    }
}

/// What `huizhen conflicts` shows of one study.
public struct ConflictReport: Codable, Sendable {
    public var studyInstanceUID: String
    public var patientID: String
    public var issuer: String
    public var institution: String
    public var heldByPatientID: String?
    public var heldByIssuer: String?
    public var heldByInstitution: String?
    public var instances: Int

    public init(
        studyInstanceUID: String, patientID: String, issuer: String, institution: String, heldByPatientID: String?,
        heldByIssuer: String?, heldByInstitution: String?, instances: Int
    ) {
        self.studyInstanceUID = studyInstanceUID
        self.patientID = patientID
        self.issuer = issuer
        self.institution = institution
        self.heldByPatientID = heldByPatientID
        self.heldByIssuer = heldByIssuer
        self.heldByInstitution = heldByInstitution
        self.instances = instances
    }
}
