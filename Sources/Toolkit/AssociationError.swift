/// Why an association could not be made or ended before its time.
public enum AssociationError: Error, Equatable, Sendable {
    /// The other side asks for release: answer with `answerRelease()`.
    case released
    /// The other side sent A-ABORT. PS3.8 §9.3.8.
    case aborted(source: UInt8, reason: UInt8)
    /// The other side refused the association. PS3.8 §9.3.4.
    case rejected(Rejection)
    /// Nothing came, or not all of it, within its time.
    case timedOut
    /// The connection ended without a word.
    case connectionLost
    /// This side gave up.
    case cancelled
    /// The other side broke PS3.8; it has been told by A-ABORT or A-ASSOCIATE-RJ.
    case protocolViolation
    case nameNotResolved
    /// No connection could be made; the number is the system's errno.
    case unreachable(errno: Int32)
    /// The system refused a descriptor or an address; the number is its errno.
    case system(errno: Int32)
    /// The call does not fit what was negotiated or the association's state.
    case misuse
    case outOfMemory
    /// TLS was not agreed on, or broke.
    case insecure(TLSFailure)
    /// A certificate, key, or list cannot be used.
    case tlsFile(TLSFile, TLSFileProblem)
}

extension AssociationError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .released: "the other side asks to release the association"
        case .aborted(let source, let reason):
            "the other side aborted the association (source \(source), reason \(reason)); its log says why"
        case .rejected(let rejection): "the other side refused the association: \(rejection)"
        case .timedOut: "the other side did not answer in time; check it, or allow more time"
        case .connectionLost: "the connection ended before the association did; check the network and the other side"
        case .cancelled: "the association was given up by this side"
        case .protocolViolation: "the other side does not keep to the DICOM upper layer protocol"
        case .nameNotResolved: "the host name or address is not known; check its spelling and the name service"
        case .unreachable(let errno): "the other side cannot be reached: \(systemMessage(errno))"
        case .system(let errno): "the operating system refused: \(systemMessage(errno))"
        case .misuse: "the call does not fit the association: check contexts, titles and the order of calls"
        case .outOfMemory: "not enough memory for the association"
        case .insecure(let failure): "no secure connection: \(failure)"
        case .tlsFile(let file, let problem): "the TLS \(file.rawValue) file \(problem)"
        }
    }
}
