import Access
import Foundation
import Transfer

/// What `huizhen site` and `huizhen transfer` ask of the running service.
public enum TransferRequest: Codable, Sendable {
    /// Makes an entity known as a site; one that is a DICOM peer stays that.
    case addSite(SiteDraft)
    case sites
    case removeSite(name: String)
    case testSite(name: String)
    /// Our own certificate.
    case identity
    case begin(TransferRecord.Direction, study: String, site: String, priority: Int, delaySeconds: Int)
    case list(limit: Int)
    /// Answered once it has ended or was given up, or after so many milliseconds, at most `waitLimit`.
    case status(id: String, milliseconds: Int = 0)
    case pause(id: String, Bool)
    case retry(id: String)
    case cancel(id: String)
    case receipt(id: String)

    public static let waitLimit = 1000
}

/// What an operator says of a site.
public struct SiteDraft: Codable, Sendable {
    public var name: String
    public var host: String
    public var port: UInt16?
    /// In PEM.
    public var certificate: String
    public var institution: String?
    public var issuer: String?
    public var rate: Int?
    public var release: ReleaseRule?

    public init(
        name: String, host: String, port: UInt16?, certificate: String, institution: String?, issuer: String?,
        rate: Int?, release: ReleaseRule?
    ) {
        self.name = name
        self.host = host
        self.port = port
        self.certificate = certificate
        self.institution = institution
        self.issuer = issuer
        self.rate = rate
        self.release = release
    }
}

/// What the service answers to a `TransferRequest`.
public enum TransferReply: Codable, Sendable {
    case sites([Peer])
    case tested(SiteDescription, milliseconds: Double)
    case identity(name: String, certificate: String, fingerprint: String, port: UInt16)
    case began(id: String)
    case transfers([TransferStatus])
    case receipt(SignedReceipt, isValid: Bool)
    /// What the operator should know of the other side; empty for nothing.
    case cancelled(told: String)
    case done
}
