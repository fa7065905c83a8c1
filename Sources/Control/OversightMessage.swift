import Access
import Foundation

/// What `huizhen consent`, `destination`, `statistics` and parts of `access` ask of the running service.
public enum OversightRequest: Codable, Sendable {
    case consents
    /// With its document, if it has one.
    case addConsent(Consent, documentName: String?, document: Data?)
    case withdrawConsent(id: String, because: String)
    case deleteConsent(id: String, because: String)
    case consentDocument(id: String)
    case emergencies
    case reviewEmergency(id: String, isJustified: Bool, note: String)
    case endEmergency(id: String)
    case destinations
    case approve(Destination)
    case revokeDestination(name: String, because: String)
    case reviewItems
    /// The items that are named; with none, all that may be confirmed.
    case confirm([ReviewName])
    case statistics
}

/// A standing permission by its name.
public struct ReviewName: Codable, Sendable, Equatable {
    public var kind: ReviewKind
    public var id: String

    public init(kind: ReviewKind, id: String) {
        self.kind = kind
        self.id = id
    }
}

/// What the service answers to an `OversightRequest`.
public enum OversightReply: Codable, Sendable {
    case consents([Consent])
    case document(name: String, Data)
    case emergencies([Emergency], reviewDays: Int)
    /// With why nothing goes there by now.
    case destinations([Destination], flaws: [String: String])
    case reviewItems([ReviewItem])
    case statistics([StudyStatistic])
}
