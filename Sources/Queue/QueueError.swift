import Database
import Keys

/// Why the queue could not do what was asked. Carries no payload: that may name a patient.
public enum QueueError: Error, Equatable, CustomStringConvertible {
    case database(DatabaseError)
    case keys(KeyError)
    /// As many jobs wait as the queue takes.
    case full(limit: Int)
    /// The job's content is larger than the queue takes.
    case tooLarge(limit: Int)
    case unknownJob(Int64)
    /// The job is not in a state in which that can be done.
    case notPossible(Int64, Job.State)
    /// The queue is closed.
    case closed

    public var description: String {
        switch self {
        case .database(let error): error.description
        case .keys(let error): "a job cannot be sealed or opened: \(error)"
        case .full(let limit): "\(limit) jobs wait already: see `huizhen queue list`"
        case .tooLarge(let limit): "the job has more than \(limit) bytes"
        case .unknownJob(let id): "there is no job \(id): see `huizhen queue list`"
        case .notPossible(let id, let state): "job \(id) is \(state.rawValue)"
        case .closed: "the service stops"
        }
    }
}
