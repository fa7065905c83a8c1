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
        let named: [Named]
        switch try holdings(
            keys, verb, to: title, release: destination.release, context: context, command: command)
        {
        case .success(let found): named = found
        case .failure(let answered): return answered.status
        }
        let run = shared.sender.start(
            named.map { shared.items.item($0.holding, by: $0.rule) }, to: destination,
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
        let shown = Set(named.lazy.filter { $0.rule == nil }.map(\.holding.sopInstanceUID))
        return try conclude(
            command, run.counts, failed: run.failed.filter(shown.contains), isCancelled: isCancelled, context: context)
    }

    /// C-GET, PS3.4 §C.4.3: sends what is named back over the same association.
    func get(
        _ command: Command, context: PresentationContext, transferSyntax: TransferSyntax
    ) throws(DIMSEError) -> Status {
        let keys = try stream.readIdentifier(contextID: context.id, transferSyntax: transferSyntax)
        let named: [Named]
        let release: ReleaseRule?
        do throws(Denial) { release = try currentPeer(.retrieve)?.release } catch {
            return try deny(error, command, context)
        }
        switch try holdings(keys, .retrieve, release: release, context: context, command: command) {
        case .success(let found): named = found
        case .failure(let answered): return answered.status
        }
        let exchange = StoreExchange(stream: stream, contexts: contexts.values.filter(\.takesObjects))
        var counts = SubOperationCounts(remaining: named.count)
        var failed: [String] = []
        var notSent: String?
        defer { if let notSent { log(notSent) } }
        var last = ContinuousClock.now
        func item(_ index: Int) -> any SendItem { shared.items.item(named[index].holding, by: named[index].rule) }
        for (index, one) in named.enumerated() {
            let status = try exchange.send(
                item(index), originator: nil, sent: { shared.metrics.bytesSent.add(UInt64($0)) },
                whileWaiting: { index + 1 < named.count ? item(index + 1) : nil })
            counts.remaining -= 1
            if let status, status.isSuccess {
                counts.completed += 1
            } else if let status, status.isWarning {
                counts.warning += 1
            } else {
                counts.failed += 1
                // None of what is de-identified: the UID is that of the original.
                if one.rule == nil { failed.append(one.holding.sopInstanceUID) }
                if let reason = exchange.failure { notSent = reason }
            }
            let isCancelled = try exchange.wasCancelled(messageID: command.messageID)
            if isCancelled {
                return try conclude(command, counts, failed: failed, isCancelled: true, context: context)
            }
            if counts.remaining > 0, last.duration(to: .now) >= Self.pendingInterval {
                last = .now
                var pending = Command(answering: command, .pending)
                pending.set(counts, withRemaining: true)
                try stream.send(pending, contextID: context.id)
            }
        }
        return try conclude(command, counts, failed: failed, isCancelled: false, context: context)
    }

    /// Says once an operation why objects were not sent.
    private func log(_ notSent: String) {
        shared.logger.notice(
            "objects were not sent", metadata: ["peer": "\(permit.aeTitle)", "reason": "\(notSent)"])
    }

    /// An operation that was answered before it began.
    private struct Answered: Error { var status: Status }

    /// An object that is to be sent.
    private struct Named {
        let holding: Holding
        /// How it is de-identified for that.
        let rule: ReleaseRule?
    }

    /// What the identifier names: unique keys of its level and of those above. PS3.4 §C.4.2.2.1.
    ///
    /// What is going to be sent is on the record when it returns.
    ///
    /// - Parameter release: how it is de-identified for whom it goes to.
    /// - Returns: the objects, de-identified as they were granted, or else as `release` says.
    private func holdings(
        _ keys: Dataset, _ verb: Verb, to destination: String? = nil, release: ReleaseRule?,
        context: PresentationContext, command: Command
    ) throws(DIMSEError) -> Result<[Named], Answered> {
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
        var found: [Named]
        var because: String?
        do {
            let names = ReleasedStudies.Names(
                studies: studies, series: level >= .series ? series : [],
                instances: level >= .instance ? instances : [])
            let full = try archive.holdings(
                patientID: patientID, studyInstanceUIDs: names.studies, seriesInstanceUIDs: names.series,
                sopInstanceUIDs: names.instances, visibility: Visibility(reach), limit: limit + 1)
            found = full.map { Named(holding: $0, rule: release) }
            // What is shown in full by its name is not looked for under others.
            var rest = names
            let met = Set(full.lazy.map(\.studyInstanceUID))
            rest.studies.removeAll(where: met.contains)
            let masked = try masked(rest, reach)
            if let masked, verb == .retrieve, let rule = masked.rule, release == nil || release == rule {
                found += masked.holdings.map { Named(holding: $0, rule: rule) }
            } else if full.isEmpty, reach != .everything {
                because = masked == nil ? Self.outOfReach : Archive.maskedRule
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
            if because == Self.outOfReach, case .refused = denial { return .success([]) }
            return .failure(Answered(status: try deny(denial, command, context)))
        }
        guard found.count <= limit else {
            return .failure(Answered(status: try finish(command, .tooManyObjects, context)))
        }
        do throws(Denial) { try note(found, patientID: patientID, to: destination) } catch {
            return .failure(Answered(status: try deny(error, command, context)))
        }
        return .success(found)
    }

    /// By which rule nothing is sent where something may be: who asks is not told which of the two it is.
    private static let outOfReach = "nothing of what was named is reached"

    /// What is shown masked of what is named, for who is shown nothing of it in full; nil for nothing.
    ///
    /// - Returns: the objects, and how they are released; no rule where they are not.
    private func masked(
        _ named: ReleasedStudies.Names, _ reach: Reach
    ) throws -> (holdings: [Holding], rule: ReleaseRule?)? {
        // A study is granted, or found; whose it is nobody learns by asking.
        guard !named.studies.isEmpty else { return nil }
        let limit = shared.settings.retrieveLimit
        var originals = named
        let shown = ReleasedStudies(archive, reach: reach, releases: shared.releases, access: shared.access)
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

    /// Writes down what is going to be sent: one record for each way of de-identifying it.
    private func note(_ named: [Named], patientID: String?, to destination: String?) throws(Denial) {
        let ways = Swift.Dictionary(grouping: named, by: \.rule).sorted {
            ($0.key?.words ?? "") < ($1.key?.words ?? "")
        }
        var entries: [AuditEntry] = []
        for (rule, holdings) in ways.isEmpty ? [(key: nil, value: [])] : ways {
            var objects = AuditObject.objects(of: holdings.map(\.holding))
            if let patientID { objects.append(AuditObject(.patient, patientID)) }
            if let destination { objects.append(AuditObject(.destination, destination)) }
            entries.append(
                AuditEntry(
                    destination == nil ? .accessed : .transferred, by: permit.actor, door: Self.door,
                    objects: objects, instanceCount: UInt64(holdings.count), reason: rule?.words ?? ""))
        }
        try shared.access.record(entries)
    }

    /// The last response with counts and, when something failed, the Failed SOP Instance UID List.
    ///
    /// - Parameter failed: UIDs of the objects as they are held; of none that was to be de-identified.
    private func conclude(
        _ command: Command, _ counts: SubOperationCounts, failed: [String], isCancelled: Bool,
        context: PresentationContext
    ) throws(DIMSEError) -> Status {
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
