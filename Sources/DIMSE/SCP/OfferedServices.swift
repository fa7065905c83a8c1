import DICOM

/// What an association can be negotiated for, as negotiation itself decides it; for the conformance statement.
public enum OfferedServices {
    /// Abstract syntaxes of messages, with the service of a peer that permits each.
    public static var messages: [(sopClassUID: String, service: String)] {
        Negotiation.messageServices.map { ($0.key, $0.value.rawValue) }.sorted { $0.0 < $1.0 }
    }

    /// Transfer syntaxes of messages in the order of preference.
    public static var messageSyntaxes: [TransferSyntax] {
        Negotiation.messageSyntaxes.map { TransferSyntax(uid: $0) }
    }
}
