/// How a request ended. draft-ietf-secsh-filexfer-02 §7.
public enum SFTPStatus: UInt32, Sendable, CaseIterable {
    case ok = 0
    case endOfFile = 1
    case noSuchFile = 2
    case permissionDenied = 3
    case failure = 4
    case badMessage = 5
    case unsupported = 8
}

/// What kind of packet one is. draft-ietf-secsh-filexfer-02 §3.
enum PacketKind {
    static let begin: UInt8 = 1
    static let version: UInt8 = 2
    static let open: UInt8 = 3
    static let close: UInt8 = 4
    static let read: UInt8 = 5
    static let write: UInt8 = 6
    static let linkAttributes: UInt8 = 7
    static let handleAttributes: UInt8 = 8
    static let setAttributes: UInt8 = 9
    static let setHandleAttributes: UInt8 = 10
    static let openDirectory: UInt8 = 11
    static let readDirectory: UInt8 = 12
    static let remove: UInt8 = 13
    static let makeDirectory: UInt8 = 14
    static let removeDirectory: UInt8 = 15
    static let realPath: UInt8 = 16
    static let attributes: UInt8 = 17
    static let rename: UInt8 = 18
    static let readLink: UInt8 = 19
    static let makeLink: UInt8 = 20
    static let status: UInt8 = 101
    static let handle: UInt8 = 102
    static let data: UInt8 = 103
    static let names: UInt8 = 104
    static let attributesAnswer: UInt8 = 105
    static let extended: UInt8 = 200
    static let extendedAnswer: UInt8 = 201
}
