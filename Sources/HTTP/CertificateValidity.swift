import Foundation
import NIOSSL

/// Whether a certificate holds at a time, by the clock of whoever asks. RFC 5280 §4.1.2.5.
public enum CertificateValidity: Sendable, Equatable {
    case holds
    case ended
    case notYet

    public init(of certificate: NIOSSLCertificate, at time: Date = Date()) {
        let now = time.timeIntervalSince1970
        if now < Double(certificate.notValidBefore) {
            self = .notYet
        } else {
            self = now < Double(certificate.notValidAfter) ? .holds : .ended
        }
    }

    /// Of the first certificate of a PEM text; nil for what is none.
    public init?(ofPEM text: String, at time: Date = Date()) {
        guard let first = try? NIOSSLCertificate.fromPEMBytes(Array(text.utf8)).first else { return nil }
        self.init(of: first, at: time)
    }

    /// What is wrong with it, behind its name; nil where nothing is.
    public var flaw: String? {
        switch self {
        case .holds: nil
        case .ended: "has ended"
        case .notYet: "does not hold yet"
        }
    }
}
