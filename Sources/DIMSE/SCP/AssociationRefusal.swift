import Access
import Toolkit

/// Why no association comes about: refusals are made of it, and so is the table of the conformance statement.
/// PS3.8 §9.3.4.
public enum AssociationRefusal: CaseIterable, Sendable {
    case calledTitle, callingTitle, certificate
    case plain, identityMissing, identityRefused
    case limit
    case applicationContext, protocolVersion, noCallingTitle, noCalledTitle

    init(_ refusal: Refusal) {
        switch refusal {
        case .calledAETitleNotRecognized: self = .calledTitle
        case .callingAETitleNotRecognized: self = .callingTitle
        case .certificateNotBound: self = .certificate
        case .plainNotAllowed: self = .plain
        case .identityMissing: self = .identityMissing
        case .identityRefused: self = .identityRefused
        }
    }

    /// What is sent. What is wrong with a certificate or an identity is for our log only. The last four are sent by the
    /// upper layer before anybody is asked.
    public var rejection: Rejection {
        switch self {
        case .calledTitle, .noCalledTitle: .calledAETitleNotRecognized
        case .callingTitle, .certificate, .noCallingTitle: .callingAETitleNotRecognized
        case .plain, .identityMissing, .identityRefused: .noReasonGiven
        case .limit: .localLimitExceeded
        case .applicationContext: .applicationContextNameNotSupported
        case .protocolVersion: .protocolVersionNotSupported
        }
    }

    public var about: String {
        switch self {
        case .calledTitle: "the called AE title is not ours"
        case .callingTitle: "the calling AE title is no peer's, or calls from an address that is not its own"
        case .certificate: "over TLS without the certificate that is bound to the calling AE title"
        case .plain: "without TLS over a network, which is not allowed for the peer"
        case .identityMissing: "no user identity, which the peer must give"
        case .identityRefused: "a user identity that is wrong or of a kind that is not taken"
        case .limit: "as many associations or connections as the limits allow, or the service is stopping"
        case .applicationContext: "another application context than DICOM's"
        case .protocolVersion: "another protocol version than 1"
        case .noCallingTitle: "no calling AE title"
        case .noCalledTitle: "no called AE title"
        }
    }
}

/// Why a presentation context is refused: answers are made of it, and so is the table of the conformance statement.
/// PS3.8 §9.3.3.2.
public enum ContextRefusal: CaseIterable, Sendable {
    case serviceNotPermitted, roleNotTaken, notKept, noTransferSyntax

    public var result: PresentationContext.Refusal {
        switch self {
        case .serviceNotPermitted, .roleNotTaken: .userRejection
        case .notKept: .abstractSyntaxNotSupported
        case .noTransferSyntax: .transferSyntaxesNotSupported
        }
    }

    public var about: String {
        switch self {
        case .serviceNotPermitted: "the peer was not added with the service"
        case .roleNotTaken: "a requester that is SCP only, but for C-GET's storage"
        case .notKept: "no storage SOP class that is known or declared, and none of the services above"
        case .noTransferSyntax: "none of the transfer syntaxes below"
        }
    }
}
