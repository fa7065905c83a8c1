import Access
import Archive
import Audit
import Catalog
import Logging

/// Who has a connection, and the record of what is done for it. Used by one thread.
final class FileCaller {
    /// How long what was decided about a file that is open holds.
    static let standingTime = Duration.seconds(1)

    private let door: FileDoor
    private let subject: FileSubject
    private let address: String
    /// As it was when it was asked last.
    private(set) var permit: Permit

    init(_ door: FileDoor, subject: FileSubject, permit: Permit) {
        self.door = door
        self.subject = subject
        self.permit = permit
        address = permit.address
    }

    /// What may be reached for an act, in full and masked, by who it is now; a refusal is recorded.
    func reach(_ verb: Verb) throws(Denial) -> Reach {
        guard let now = door.access.admit(subject, door.accounts, from: address) else {
            throw try refusal(verb, "the account is no longer allowed")
        }
        permit = now
        do throws(Denial) { return try door.access.require(verb, by: now, door: FileDoor.name) } catch {
            throw logged(error)
        }
    }

    /// Whether an act is allowed at all, without a record of it.
    func may(_ verb: Verb) -> Bool { door.access.decision(verb, by: permit).isAllowed }

    /// Records that something is not shown, and by which rule.
    func refusal(_ verb: Verb, _ because: String, _ objects: [AuditObject] = []) throws(Denial) -> Denial {
        do throws(Denial) {
            return try door.access.refusal(verb, because, by: permit, door: FileDoor.name, objects: objects)
        } catch { throw logged(error) }
    }

    /// Writes down what is about to be done.
    func note(
        _ event: AuditEvent, _ objects: [AuditObject] = [], instanceCount: Int? = nil, reason: String = ""
    ) throws(Denial) {
        do throws(Denial) {
            try door.access.record([
                AuditEntry(
                    event, by: permit.actor, door: FileDoor.name, objects: objects,
                    instanceCount: instanceCount.map { UInt64($0) }, reason: reason)
            ])
        } catch { throw logged(error) }
    }

    /// As instances that it puts name it.
    var sender: Sender { Sender(peer: subject.name, institution: permit.institution, door: FileDoor.name) }

    private func logged(_ denial: Denial) -> Denial {
        if case .notRecorded(let error) = denial {
            door.logger.error("an act could not be recorded", metadata: ["reason": "\(error)"])
        }
        return denial
    }
}

/// When something was decided, and whether it is to be decided again.
struct Standing {
    private var decidedAt = ContinuousClock.now

    /// Decides anew if it is time.
    mutating func renew(_ decide: () throws -> Void) throws {
        guard decidedAt.duration(to: .now) >= FileCaller.standingTime else { return }
        try decide()
        decidedAt = .now
    }
}
