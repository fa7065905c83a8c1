/// Why a frame could not be converted: what, where, what to do.
public enum CodecError: Error, Equatable, Sendable {
    /// An attribute of the image contradicts the standard or the others.
    case badFormat(attribute: String)
    /// The image claims more bytes a frame than are taken.
    case tooLarge(byteCount: Int, limit: Int)
    /// Nobody decodes or encodes this coding, or not for such samples.
    case unsupported(coding: String)
    /// The frame's bytes are not what their coding makes them.
    case malformed(coding: String)
    /// The stream has other rows, columns, samples or bits than the image claims.
    case differs(coding: String)
    /// The frame would be longer than its room when encoded.
    case incompressible(coding: String)
    case outOfMemory
    /// The process that decoded the frame is gone; the next frame gets another.
    case workerFailed(WorkerFault)
    /// The pool was closed.
    case closed
}

/// How a worker process failed.
public enum WorkerFault: Equatable, Sendable {
    /// It could not be started.
    case notStarted(errno: Int32)
    /// It ended by a signal.
    case killed(signal: Int32)
    /// It ended by itself.
    case exited(code: Int32)
    /// It took longer than a frame may take.
    case timedOut
    /// Its answer made no sense.
    case garbage
}

extension CodecError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .badFormat(let attribute):
            "the image's \(attribute) makes no sense: correct the image at its source"
        case .tooLarge(let byteCount, let limit):
            "the image claims frames of \(byteCount) bytes, \(limit) are taken: raise the limit if that is true"
        case .unsupported(let coding):
            "\(coding) cannot be converted for such samples: ask for the stored transfer syntax"
        case .malformed(let coding): "the frame is no valid \(coding): send the image again from its source"
        case .differs(let coding):
            "the \(coding) stream has another size or depth than the image says: correct the image at its source"
        case .incompressible(let coding): "the frame grows beyond its bound in \(coding): use another syntax"
        case .outOfMemory: "memory ran out for a frame: raise the workers' memory limit, or free memory"
        case .workerFailed(let fault): "the codec worker \(fault): report the image if it happens again"
        case .closed: "the codec workers have been ended: the service is stopping"
        }
    }
}

extension WorkerFault: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notStarted(let errno): "could not be started, errno \(errno)"
        case .killed(let signal): "was ended by signal \(signal)"
        case .exited(let code): "ended with code \(code)"
        case .timedOut: "took too long for one frame"
        case .garbage: "gave an answer that makes no sense"
        }
    }
}
