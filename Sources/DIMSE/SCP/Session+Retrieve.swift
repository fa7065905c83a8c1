import Access
import Archive
import Audit
import Catalog
import DICOM
import Release
import Toolkit

extension Session {
    /// Time between two pending responses while sub-operations run.
    static let pendingInterval = Duration.milliseconds(100)

    /// C-MOVE, PS3.4 §C.4.2: sends what is named to another peer, over associations of our own.
    func move(
        _ command: Command, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        let keys = try stream.readIdentifier(contextID: context.id, transferSyntax: transferSyntax)
        guard let title = command.moveDestination, let destination = shared.access.peer(aeTitle: title),
            destination.host != nil, destination.port != nil
        else { return try finish(command, .destinationUnknown, context) }
        guard shared.access.mayCall(destination) else {
            return try finish(command, .destinationPlain, context)
        }
        // To its own institution it is a retrieval by another way.
        let verb: Verb = destination.institution == permit.institution ? .retrieve : .send
        do throws(Denial) {
            try shared.access.requireDestination(
                destination, for: permit.institution, by: permit.actor, door: Self.door)
        } catch { return try deny(error, command, context) }
        let named: [Holding]
        let rule: ReleaseRule?
        switch try holdings(
            keys, verb, to: title, release: destination.release, context: context, command: command)
        {
        case .success(let found): (named, rule) = found
        case .failure(let answered): return answered.status
        }
        let run = shared.sender.start(
            shared.items.items(named, by: rule), to: destination,
            originator: (permit.aeTitle, command.messageID))
        var isCancelled = false
        do throws(DIMSEError) {
            var last = ContinuousClock.now - Self.pendingInterval
            while !run.waitForProgress(until: last + Self.pendingInterval) {
                if !isCancelled {
                    isCancelled = try stream.isCancelled(messageID: command.messageID)
                    if isCancelled { run.cancel() }
                }
                guard last.duration(to: .now) >= Self.pendingInterval else { continue }
                last = .now
                var pending = Command(answering: command, .pending)
                pending.set(run.counts, withRemaining: true)
                try stream.send(pending, contextID: context.id)
                try stream.flush()
            }
        } catch {
            run.cancel()
            throw error
        }
        if let reason = run.notSentReason { log(reason) }
        return try conclude(command, run.counts, failed: run.failed, rule, isCancelled: isCancelled, context: context)
    }

    /// C-GET, PS3.4 §C.4.3: sends what is named back over the same association.
    func get(
        _ command: Command, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        let keys = try stream.readIdentifier(contextID: context.id, transferSyntax: transferSyntax)
        let named: [Holding]
        let rule: ReleaseRule?
        let release: ReleaseRule?
        do throws(Denial) { release = try currentPeer(.retrieve)?.release } catch {
            return try deny(error, command, context)
        }
        switch try holdings(keys, .retrieve, release: release, context: context, command: command) {
        case .success(let found): (named, rule) = found
        case .failure(let answered): return answered.status
        }
        let exchange = StoreExchange(stream: stream, contexts: contexts.values.filter(\.takesObjects))
        var counts = SubOperationCounts(remaining: named.count)
        var failed: [String] = []
        var notSent: String?
        defer { if let notSent { log(notSent) } }
        var last = ContinuousClock.now
        for (index, holding) in named.enumerated() {
            let status = try exchange.send(
                shared.items.item(holding, by: rule), originator: nil,
                sent: { shared.metrics.bytesSent.add(UInt64($0)) },
                whileWaiting: {
                    index + 1 < named.count ? shared.items.item(named[index + 1], by: rule) : nil
                })
            counts.remaining -= 1
            if let status, status.isSuccess {
                counts.completed += 1
            } else if let status, status.isWarning {
                counts.warning += 1
            } else {
                counts.failed += 1
                failed.append(holding.sopInstanceUID)
                if let reason = exchange.failure { notSent = reason }
            }
            let isCancelled = try exchange.wasCancelled(messageID: command.messageID)
            if isCancelled {
                return try conclude(command, counts, failed: failed, rule, isCancelled: true, context: context)
            }
            if counts.remaining > 0, last.duration(to: .now) >= Self.pendingInterval {
                last = .now
                var pending = Command(answering: command, .pending)
                pending.set(counts, withRemaining: true)
                try stream.send(pending, contextID: context.id)
            }
        }
        return try conclude(command, counts, failed: failed, rule, isCancelled: false, context: context)
    }

    /// Says once an operation why objects were not sent.
    private func log(_ notSent: String) {
        shared.logger.notice(
            "objects were not sent", metadata: ["peer": "\(permit.aeTitle)", "reason": "\(notSent)"])
    }

    /// An operation that was answered before it began.
    private struct Answered: Error { var status: Status }

    /// What the identifier names: unique keys of its level and of those above. PS3.4 §C.4.2.2.1.
    ///
    /// What is going to be sent is on the record when it returns.
    ///
    /// - Parameter release: how it is de-identified for whom it goes to.
    /// - Returns: the objects, and how they are de-identified: as they were granted, or else as `release` says.
    private func holdings(
        _ keys: Dataset, _ verb: Verb, to destination: String? = nil, release: ReleaseRule?,
        context: PresentationContext, command: Command
    ) throws(DIMSEError) -> Result<([Holding], ReleaseRule?), Answered> {
        guard let level = Self.level(keys, model: context.abstractSyntax) else {
            let status = try finish(command, .unknownLevel, context)
            return .failure(Answered(status: status))
        }
        let patientID = keys.string(.patientID).flatMap { $0.isEmpty ? nil : $0 }
        func uids(_ tag: Tag) -> [String] { keys.strings(tag).filter { !$0.isEmpty } }
        let studies = uids(.studyInstanceUID)
        let series = uids(.seriesInstanceUID)
        let instances = uids(.sopInstanceUID)
        let isNamed =
            switch level {
            case .patient: patientID != nil
            case .study: !studies.isEmpty
            case .series: !series.isEmpty
            case .instance: !instances.isEmpty
            }
        guard isNamed else {
            let status = try finish(command, .uniqueKeyMissing, context)
            return .failure(Answered(status: status))
        }
        let reach: Reach
        do throws(Denial) { reach = try self.reach(verb) } catch {
            return .failure(Answered(status: try deny(error, command, context)))
        }
        let limit = shared.settings.retrieveLimit
        var found: [Holding]
        var rule = release
        var because: String?
        do {
            let named = MaskedStudies.Names(
                studies: studies, series: level >= .series ? series : [],
                instances: level >= .instance ? instances : [])
            found = try archive.holdings(
                patientID: patientID, studyInstanceUIDs: named.studies, seriesInstanceUIDs: named.series,
                sopInstanceUIDs: named.instances, visibility: Visibility(reach), limit: limit + 1)
            if found.isEmpty, reach != .everything {
                if let masked = try masked(named, reach) {
                    if verb == .retrieve, let granted = masked.rule, release == nil || release == granted {
                        (found, rule) = (masked.holdings, granted)
                    } else {
                        because = Archive.maskedRule
                    }
                } else {
                    because = Self.outOfReach
                }
            }
        } catch {
            return .failure(
                Answered(status: try finish(command, StatusMapping.answer(toQuestion: error), context)))
        }
        if let because {
            var objects = studies.map { AuditObject(.study, $0) }
            if objects.isEmpty, let patientID { objects = [AuditObject(.patient, patientID)] }
            let denial: Denial
            do throws(Denial) {
                denial = try shared.access.refusal(verb, because, by: permit, door: Self.door, objects: objects)
            } catch { denial = error }
            // What is out of reach is answered like what is not there.
            if because == Self.outOfReach, case .refused = denial { return .success(([], rule)) }
            return .failure(Answered(status: try deny(denial, command, context)))
        }
        guard found.count <= limit else {
            return .failure(Answered(status: try finish(command, .tooManyObjects, context)))
        }
        do throws(Denial) { try note(found, patientID: patientID, to: destination, rule) } catch {
            return .failure(Answered(status: try deny(error, command, context)))
        }
        return .success((found, rule))
    }

    /// By which rule nothing is sent where something may be: who asks is not told which of the two it is.
    private static let outOfReach = "nothing of what was named is reached"

    /// What is shown masked of what is named, for who is shown nothing of it in full; nil for nothing.
    ///
    /// - Returns: the objects, and how they are released; no rule where they are not.
    private func masked(
        _ named: MaskedStudies.Names, _ reach: Reach
    ) throws -> (holdings: [Holding], rule: ReleaseRule?)? {
        // A study is granted, or found; whose it is nobody learns by asking.
        guard !named.studies.isEmpty else { return nil }
        let limit = shared.settings.retrieveLimit
        var originals = named
        let shown = MaskedStudies(archive, reach: reach, releases: shared.releases, access: shared.access)
        if let shown {
            guard let found = try shown.originals(of: named, limit: limit + 1) else { return nil }
            originals = found
        } else if !named.studies.allSatisfy({ reach.namesMasked(study: $0) }) {
            return nil
        }
        guard
            let found = try archive.masked(
                patientID: nil, studyInstanceUIDs: originals.studies, seriesInstanceUIDs: originals.series,
                sopInstanceUIDs: originals.instances, reach: reach, limit: limit + 1)
        else { return nil }
        return (found.holdings, shown == nil ? nil : shared.access.releaseRule(for: found.masking))
    }

    private func note(
        _ holdings: [Holding], patientID: String?, to destination: String?, _ release: ReleaseRule?
    ) throws(Denial) {
        var objects = AuditObject.objects(of: holdings)
        if let patientID { objects.append(AuditObject(.patient, patientID)) }
        if let destination { objects.append(AuditObject(.destination, destination)) }
        try shared.access.record([
            AuditEntry(
                destination == nil ? .accessed : .transferred, by: permit.actor, door: Self.door, objects: objects,
                instanceCount: UInt64(holdings.count), reason: release?.words ?? "")
        ])
    }

    /// The last response with counts and, when something failed, the Failed SOP Instance UID List.
    ///
    /// - Parameters:
    ///   - failed: UIDs of the objects as they are held.
    ///   - rule: how they are de-identified; none of those is listed, for the UIDs are those of the originals.
    private func conclude(
        _ command: Command, _ counts: SubOperationCounts, failed: [String], _ rule: ReleaseRule?, isCancelled: Bool,
        context: PresentationContext
    ) throws(DIMSEError) -> Status {
        let failed = rule == nil ? failed : []
        let answer: ServiceAnswer
        if isCancelled {
            answer = .cancelled
        } else if counts.failed == 0 && counts.warning == 0 {
            answer = .success
        } else if counts.completed == 0 && counts.warning == 0 {
            answer = .allFailed
        } else {
            answer = .someFailed
        }
        var response = Command(answering: command, answer, hasDataSet: !failed.isEmpty)
        response.set(counts, withRemaining: isCancelled)
        var list: [UInt8]?
        if !failed.isEmpty {
            var dataSet = Dataset()
            dataSet.set(.failedSOPInstanceUIDList, .UI, strings: failed)
            list = dataSet.encoded(
                transferSyntax: TransferSyntax(uid: context.acceptedTransferSyntax ?? ""), characterSet: nil)
        }
        try stream.send(response, dataSet: list, contextID: context.id)
        return answer.status
    }
}
