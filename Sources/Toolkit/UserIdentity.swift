import CDCMTK

/// Who a requester says its user is. PS3.7 §D.3.3.7. Shows nothing of itself in any text.
public struct UserIdentity: Equatable, Sendable {
    public enum Kind: UInt8, Sendable {
        case name = 1
        case nameAndPasscode = 2
        case kerberos = 3
        case saml = 4
        case token = 5
    }

    /// Most bytes of the two fields together that can be sent: all sub-items share 65,535.
    public static let byteCountLimit = 40_000

    /// As in the sub-item; `kind` is nil for one no edition knows.
    public let kindCode: UInt8
    /// Whether an acceptance is to be answered.
    public let wantsResponse: Bool
    /// Name, ticket, assertion or token.
    public let primary: [UInt8]
    /// Passcode; empty for other kinds.
    public let secondary: [UInt8]

    public var kind: Kind? { Kind(rawValue: kindCode) }

    public init(kind: Kind, primary: [UInt8], secondary: [UInt8] = [], wantsResponse: Bool = false) {
        kindCode = kind.rawValue
        self.primary = primary
        self.secondary = secondary
        self.wantsResponse = wantsResponse
    }

    /// What a requester proposed; nil if nothing.
    init?(_ association: OpaquePointer) {
        let identity = unsafe hz_association_identity(association)
        guard unsafe identity.kind != 0 else { return nil }
        kindCode = unsafe identity.kind
        wantsResponse = unsafe identity.wantsResponse
        primary = unsafe identity.primary.copy ?? []
        secondary = unsafe identity.secondary.copy ?? []
    }
}

extension UserIdentity: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "user identity" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

/// Operations that may be outstanding at a time; 0 is any number. PS3.7 §D.3.3.3.
public struct OperationsWindow: Equatable, Sendable {
    public let invoked: UInt16
    public let performed: UInt16

    public init(invoked: UInt16, performed: UInt16) {
        self.invoked = invoked
        self.performed = performed
    }
}

extension HZBytes {
    /// Nil for none.
    var copy: [UInt8]? {
        guard let start = unsafe bytes else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: start, count: byteCount))
    }
}

/// Gives `body` bytes as C wants them, for its duration; nil stays none.
func withBytes<T>(_ bytes: [UInt8]?, _ body: (HZBytes) -> T) -> T {
    guard let bytes else { return unsafe body(HZBytes(bytes: nil, byteCount: 0)) }
    // An empty array may have no address, and none stands for none.
    return unsafe (bytes + [0]).withUnsafeBufferPointer { buffer in
        unsafe body(HZBytes(bytes: buffer.baseAddress, byteCount: bytes.count))
    }
}

/// Gives `body` an identity as C wants it, for its duration.
func withIdentity<T>(_ identity: UserIdentity?, _ body: (HZIdentity) -> T) -> T {
    unsafe withBytes(identity?.primary) { primary in
        unsafe withBytes(identity?.secondary) { secondary in
            unsafe body(
                HZIdentity(
                    kind: identity?.kindCode ?? 0, wantsResponse: identity?.wantsResponse ?? false, primary: primary,
                    secondary: secondary))
        }
    }
}
