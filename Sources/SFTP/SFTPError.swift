/// Why a conversation over SFTP cannot go on.
public enum SFTPError: Error, Equatable, CustomStringConvertible {
    /// A packet is longer than `PacketReader.byteCountLimit`.
    case oversized
    /// The bytes are no packet, or one that does not fit what its kind holds.
    case malformed
    /// Something came before the client said which version it speaks, or it said so twice.
    case outOfOrder
    /// The client speaks nothing as new as version 3.
    case version

    public var description: String {
        switch self {
        case .oversized: "a packet is longer than \(PacketReader.byteCountLimit) bytes"
        case .malformed: "a packet is not as SFTP has it"
        case .outOfOrder: "the client does not begin as SFTP has it"
        case .version: "the client speaks an older version of SFTP than 3"
        }
    }
}
