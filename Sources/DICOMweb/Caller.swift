import Access
import Archive
import Audit
import Catalog
import Logging

/// Who sent a request, and the record of what is done for it.
struct Caller: Sendable {
    /// As the record of acts and senders of instances name it.
    static let door = "dicomweb"

    let access: Access
    let permit: Permit
    let logger: Logger
    let reliance: Reliance

    /// What the caller may see in full for an act; a refusal is recorded.
    func visibility(_ verb: Verb) throws(Denial) -> Visibility { Visibility(try reach(verb)) }

    /// What the caller may reach for an act, in full and masked; a refusal is recorded.
    func reach(_ verb: Verb) throws(Denial) -> Reach {
        do throws(Denial) {
            let reach = try access.require(verb, by: permit, door: Self.door)
            reliance.note(verb, reach)
            return reach
        } catch { throw logged(error) }
    }

    /// Records that something is not shown, and by which rule.
    func refusal(_ verb: Verb, _ because: String, _ objects: [AuditObject]) throws(Denial) -> Denial {
        do throws(Denial) {
            return try access.refusal(verb, because, by: permit, door: Self.door, objects: objects)
        } catch { throw logged(error) }
    }

    /// Writes down what is about to be done; a change is on the disk when it returns.
    func note(
        _ event: AuditEvent, _ objects: [AuditObject], instanceCount: Int? = nil, reason: String = ""
    ) throws(Denial) {
        do throws(Denial) {
            try access.record([
                AuditEntry(
                    event, by: permit.actor, door: Self.door, objects: objects,
                    instanceCount: instanceCount.map { UInt64($0) }, reason: reason)
            ])
        } catch { throw logged(error) }
    }

    private func logged(_ denial: Denial) -> Denial {
        if case .notRecorded(let error) = denial {
            logger.error("an act could not be recorded", metadata: ["reason": "\(error)"])
        }
        return denial
    }
}
