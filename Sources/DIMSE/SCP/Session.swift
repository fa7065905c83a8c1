import Access
import Archive
import Audit
import Catalog
import DICOM
import Logging
import Queue
import Release
import Synchronization
import Toolkit

/// What every association of the door shares.
struct Shared: Sendable {
    let archive: Archive
    let access: Access
    let settings: DIMSESettings
    let metrics: DIMSEMetrics
    let logger: Logger
    let sender: ObjectSender
    let queue: JobQueue
    let credentials: TransportCredentials?
    let releases: Releases

    var items: SendItems { SendItems(archive: archive, releases: releases) }
}

/// One accepted association: reads requests and answers them until the other side ends. Runs on its own thread.
final class Session {
    let shared: Shared
    let permit: Permit
    /// What the peer's permit rests on; nil for a guest.
    private let standing: PeerStanding?
    let stream: MessageStream
    let contexts: [UInt8: PresentationContext]
    let arrival: Arrival
    /// Storage commitment that this association has asked for and not been told of, by job: the report's message if it
    /// was sent.
    var reports: [Int64: UInt16?] = [:]
    /// Of requests of our own, which are reports.
    var nextMessageID: UInt16 = 0
    var archive: Archive { shared.archive }
    let ledger: StoreLedger

    init(_ association: Association, permit: Permit, standing: PeerStanding?, shared: Shared) {
        self.standing = standing
        self.shared = shared
        self.permit = permit
        stream = MessageStream(association)
        contexts = association.accepted
        arrival = shared.archive.arrival()
        ledger = StoreLedger(shared.access, permit: permit, door: Self.door)
    }

    /// - Parameter busy: told when an operation begins and ends; returns false when the service stops and no further
    ///   operation may begin.
    func run(busy: (Bool) -> Bool) {
        defer {
            ledger.end()
            handOverAll()
        }
        do throws(DIMSEError) {
            while true {
                let (command, contextID) = try stream.nextCommand()
                guard busy(true) else { return abort("the service stops") }
                try answer(command, contextID: contextID)
                try stream.flush()
                guard busy(false) else { return abort("the service stops") }
            }
        } catch {
            if case .association(.released) = error {
                stream.association.answerRelease()
                return
            }
            abort("\(error)")
        }
    }

    /// As the record of acts and senders of instances name it.
    static let door = "dimse"

    /// What the peer may reach for an act, decided anew for each.
    func reach(_ verb: Verb) throws(Denial) -> Reach {
        _ = try currentPeer(verb)
        return try shared.access.require(verb, by: permit, door: Self.door)
    }

    /// The peer as it is now; nil for a guest of an open test server.
    ///
    /// - Throws: `.refused` for one that was removed, changed or not confirmed since it was let in: its association lasts,
    ///   and its permit must not. See `PeerStanding`.
    func currentPeer(_ verb: Verb) throws(Denial) -> Peer? {
        guard permit.isKnown else { return nil }
        if let peer = shared.access.standingPeer(permit.aeTitle),
            shared.access.standing(of: permit.aeTitle) == standing
        {
            return peer
        }
        throw try shared.access.refusal(verb, "the peer was removed or changed", by: permit, door: Self.door)
    }

    /// The answer to what was denied.
    func deny(_ denial: Denial, _ command: Command, _ context: PresentationContext) throws(DIMSEError) -> Status {
        if case .notRecorded(let error) = denial { log(unrecorded: error) }
        return try finish(command, StatusMapping.answer(to: denial), context)
    }

    func log(unrecorded error: AuditError) {
        shared.logger.error("an act could not be recorded", metadata: ["reason": "\(error)"])
    }

    private func abort(_ reason: String) {
        shared.metrics.associationsAborted.add()
        shared.logger.notice(
            "association ended early", metadata: ["peer": "\(permit.aeTitle)", "reason": "\(reason)"])
        stream.association.abort()
    }

    private func answer(_ command: Command, contextID: UInt8) throws(DIMSEError) {
        guard let context = contexts[contextID], let syntax = context.acceptedTransferSyntax else {
            throw .unexpectedMessage("a message on a context that was not accepted")
        }
        let transferSyntax = TransferSyntax(uid: syntax)
        let start = ContinuousClock.now
        let status: Status
        switch (command.field, Negotiation.queryModels[context.abstractSyntax]) {
        case (.echoRequest, _) where context.abstractSyntax == SOPClass.verification:
            status = ServiceAnswer.success.status
            try stream.send(Command(answering: command, .success), contextID: contextID)
        case (.storeRequest, nil)
        where Negotiation.isStorage(context.abstractSyntax) && context.acceptedRole != .scp && command.hasDataSet:
            status = try store(command, contextID: contextID, transferSyntax: transferSyntax)
        case (.findRequest, .find) where command.hasDataSet:
            status = try find(command, context: context, transferSyntax: transferSyntax)
        case (.moveRequest, .move) where command.hasDataSet:
            status = try move(command, context: context, transferSyntax: transferSyntax)
        case (.getRequest, .get) where command.hasDataSet:
            status = try get(command, context: context, transferSyntax: transferSyntax)
        case (.actionRequest, _)
        where context.abstractSyntax == SOPClass.storageCommitmentPushModel && command.hasDataSet:
            status = try requestCommitment(command, context: context, transferSyntax: transferSyntax)
        case (.eventReportResponse, _): return try reportAnswered(command, contextID: contextID)
        case (.cancelRequest, _):
            // What it meant to cancel has been answered already.
            return
        case _ where command.isRequest:
            status = ServiceAnswer.noService.status
            if command.hasDataSet { try stream.readDataSet(contextID: contextID) { _ in } }
            try stream.send(Command(answering: command, .noService), contextID: contextID)
        default:
            throw .unexpectedMessage("a command that belongs to no service")
        }
        if let verb = command.field?.verb {
            shared.metrics.duration(verb: verb, status: status).observe(start.duration(to: .now))
        }
    }
}
