import Foundation

/// Who asked for a removal and why, and what it was about: kept until a certificate says that it was done.
struct DestructionOrder: Codable, Sendable {
    var id: String
    var studyInstanceUID: String
    var orderedBy: String
    var reason: String
    /// In milliseconds since 1970, as every time here.
    var orderedAt: Int64
    var destroyAt: Int64
    var objects: [OrderedObject]
}

/// One object that is to be destroyed.
struct OrderedObject: Codable, Sendable {
    var sequence: UInt64
    var pack: UInt32
    var byteOffset: UInt64
    var certified: CertifiedObject
}

/// What a certificate says of one object.
public struct CertifiedObject: Codable, Equatable, Sendable {
    public var sopInstanceUID: String
    /// SHA-256 of the dataset as it was received, in hexadecimal digits.
    public var digest: String
    public var byteCount: UInt64
    /// Identifiers of the keys, in hexadecimal digits; the first is empty where the object's header was damaged.
    public var objectKey: String
    public var studyKey: String
}
