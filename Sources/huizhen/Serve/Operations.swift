import Access
import Archive
import Audit
import BlobStore
import Catalog
import Control
import DICOM
import DIMSE
import Glibc
import Reporting
import Toolkit

/// Carries out what the operator's tools ask for. Runs on the tool's own thread.
struct Operations: Sendable {
    let service: Service

    /// Progress messages are sent at most every so many objects.
    private static let progressStep = 50
    private static let pageSize = 500
    /// Jobs shown at a time.
    private static let jobListLimit = 100_000

    func serve(_ channel: Channel) {
        do throws(ControlError) {
            let request = try channel.receive(ControlRequest.self)
            do {
                try answer(request, channel)
            } catch ControlError.refused(let why) {
                try channel.send(ControlReply.failed(why))
            } catch let error as ControlError {
                throw error
            } catch {
                try channel.send(ControlReply.failed("\(error)"))
            }
        } catch {
            // The tool went away or speaks another version; it has its own words for that.
            service.logger.debug("control connection ended", metadata: ["reason": "\(error)"])
        }
    }

    private func answer(_ request: ControlRequest, _ channel: Channel) throws {
        try record(request, channel)
        switch request {
        case .access(let request): try answer(request, channel)
        case .share(let request): try channel.send(ControlReply.share(share(request, by: channel.peerUser)))
        case .token(let request): try channel.send(ControlReply.token(token(request, channel)))
        case .oversight(let request): try answer(request, channel)
        case .files(let request): try channel.send(ControlReply.files(files(request, channel)))
        case .status: try channel.send(ControlReply.status(status()))
        case .peers: try channel.send(ControlReply.peers(service.access.list()))
        case .addPeer(let peer, let secrets): try service.access.add(peer, secrets: secrets)
        case .removePeer(let title):
            try service.transfers.forget(site: title) { try service.access.remove(aeTitle: title) }
        case .testPeer(let title): try testPeer(title, channel)
        case .conflicts: try channel.send(ControlReply.conflicts(conflicts()))
        case .keys(let request):
            let directory = service.settings.dataDirectory
            let reply = try KeyOperations.answer(request, service.archive, dataDirectory: directory)
            if case .changeProject = request { service.releases.forget() }
            try channel.send(ControlReply.keys(reply))
        case .webToken(let seconds):
            let token = try service.webTokens.make(for: channel.peerUser, lifetime: .seconds(seconds))
            try channel.send(ControlReply.webToken(token))
        case .user(let request): try channel.send(ControlReply.user(user(request, by: channel.peerUser)))
        case .audit(let request): try audit(request, channel)
        case .transfer(let request): try channel.send(ControlReply.transfer(transfer(request, channel)))
        case .correct(let request): try channel.send(correct(request, author: channel.peerUser))
        case .remove(let study, let series, let instance, let now, let numbers, let person, let reason):
            let removal = try service.archive.remove(
                studyInstanceUID: study, seriesInstanceUID: series, sopInstanceUID: instance, now: now,
                accessionNumbers: Set(numbers), by: person, reason: reason)
            try channel.send(
                ControlReply.removed(
                    instances: removal.instances, destroyAt: removal.destroyAt, certificate: removal.certificate))
        case .restore(let study):
            try channel.send(
                ControlReply.restored(instances: service.archive.restore(studyInstanceUID: study)))
        case .hold(let study, let on): try service.archive.hold(studyInstanceUID: study, on)
        case .verify: try verify(channel)
        case .release(let study, let rule): try release(study, rule, channel)
        case .routes: try channel.send(ControlReply.routes(service.routes.list()))
        case .addRoute(let route):
            for name in route.destinations {
                let isSite = service.access.peer(aeTitle: name)?.site != nil
                if route.event == .consultation, !isSite {
                    throw ControlError.refused("\(name) is no site: routes on consultation go to sites")
                }
                if route.event == .arrival, isSite {
                    throw ControlError.refused(
                        "\(name) is a site, which takes whole studies: say --on completion")
                }
            }
            try service.routes.add(route)
        case .removeRoute(let name): try service.routes.remove(name)
        case .jobs(let states, let limit):
            let counts = try service.queue.counts().map { ($0.key.rawValue, $0.value) }
            try channel.send(
                ControlReply.jobs(
                    service.queue.list(states, limit: min(max(limit, 1), Self.jobListLimit)),
                    counts: .init(uniqueKeysWithValues: counts), paused: service.queue.pausedLanes()))
        case .retryJob(let id): try service.queue.retry(id)
        case .cancelJob(let id): try service.queue.cancel(id)
        case .pauseLane(let lane, let on): try service.queue.setPaused(lane: lane, on)
        case .reindex: try reindex(channel)
        case .reloadTLS: try service.reloadTLS()
        case .import(let peer): try importObjects(from: peer, channel)
        case .export(let studies, let series, let instances, let syntaxes, let isOriginal, let destination):
            let holdings = try holdings(studies, series, instances)
            try self.record(
                export: holdings, named: series, instances, isOriginal: isOriginal, to: destination, channel)
            try export(holdings, in: syntaxes, isOriginal: isOriginal, channel)
        case .measure(let studies, let series, let instances):
            let holdings = try holdings(studies, series, instances)
            try channel.send(
                ControlReply.measured(
                    transferSyntaxes: holdings.reduce(into: [:]) { $0[$1.transferSyntaxUID, default: 0] += 1 },
                    byteCount: holdings.reduce(0) { $0 + $1.byteCount }))
        }
        try channel.send(ControlReply.done)
    }

    private func audit(_ request: AuditRequest, _ channel: Channel) throws {
        try AuditOperations(
            log: service.audit, actor: actor(channel),
            anchor: { [service] in
                guard let anchor = service.auditUpkeep.anchor() else {
                    throw ControlError.refused("the anchor could not be written: see the service's log")
                }
                return anchor
            },
            alarm: { [service] in service.alerts.raise(Alert(altered: $0)) },
            alerts: { [service] in service.access.alerts },
            send: { try channel.send($0) }
        ).answer(request)
    }

    private func status() throws -> ServiceStatus {
        let totals = try service.archive.catalog.totals()
        let access = service.access
        let jobs = try service.queue.counts()
        var status = ServiceStatus(
            version: Huizhen.version, processID: getpid(), dataDirectory: service.settings.dataDirectory,
            dimsePort: service.dimsePort.load(ordering: .acquiring), dimseTLSPort: service.tlsPort,
            dimseAddresses: service.settings.dimseAddresses,
            httpPort: service.httpPort.load(ordering: .acquiring), aeTitle: access.settings.aeTitle,
            isOpenToUnknownPeers: access.settings.isOpenToUnknownPeers,
            plainNetworkPeers: access.list().filter { $0.allowsPlain && access.isOverNetwork($0) }.map(\.aeTitle),
            patients: totals.patients, studies: totals.studies, series: totals.series, instances: totals.instances,
            byteCount: totals.byteCount, conflicts: totals.conflicts, removed: totals.removed,
            freeByteCount: service.archive.freeByteCount,
            catalogBehind: service.archive.catalog.behindCount + service.archive.lateEventCount,
            reconciledObjects: service.archive.reconciliation.objectsAdded,
            tornObjects: service.archive.reconciliation.tornObjects,
            waitingJobs: (jobs[.waiting] ?? 0) + (jobs[.running] ?? 0), deadJobs: jobs[.dead] ?? 0)
        noteOversight(&status)
        status.webHost = service.settings.text("web.address")
        status.webTLSHost = service.settings.webTLSHost
        status.webPort = service.webPort.load(ordering: .acquiring)
        status.webTLSPort = service.webTLSPort.load(ordering: .acquiring)
        status.transferPort = service.transferPort.load(ordering: .acquiring)
        (status.damagedObjects, status.unlistedObjects) = try service.archive.knownDamage()
        status.housekeeping = service.archive.housekeepingReason
        status.isMasterKeyOnDataDisk = service.archive.isMasterKeyOnDataDisk
        (status.masterKeySince, status.isMasterKeyRotationDue) = try service.masterKeyAge()
        if let report = service.archive.compressionReport {
            status.compression = CompressionStatus(
                waiting: try service.archive.catalog.uncompressedCount(), objects: report.objects,
                sentByteCount: report.sentByteCount, keptByteCount: report.keptByteCount,
                unsuitable: report.unsuitable)
        }
        return status
    }

    private func conflicts() throws -> [ConflictReport] {
        try service.archive.catalog.conflicts().map {
            ConflictReport(
                studyInstanceUID: $0.studyInstanceUID, patientID: $0.patientID, issuer: $0.issuer,
                institution: $0.institution, heldByPatientID: $0.heldByPatientID, heldByIssuer: $0.heldByIssuer,
                heldByInstitution: $0.heldByInstitution, instances: $0.instanceCount)
        }
    }

    private func testPeer(_ title: String, _ channel: Channel) throws {
        guard let peer = service.access.peer(aeTitle: title) else { throw AccessError.unknownPeer(title) }
        guard peer.host != nil, peer.port != nil else {
            throw AccessError.invalid("\(title) has no port: add it again with --port")
        }
        guard service.access.mayCall(peer) else {
            throw AccessError.invalid(
                "\(title) is over the network and allows no plain DICOM: see --tls and --allow-plain")
        }
        let start = ContinuousClock.now
        let requester = try Requester(
            .init(
                peer, callingAETitle: service.access.settings.aeTitle, timeouts: service.settings.timeouts,
                credentials: service.credentials),
            sopClasses: [SOPClass.verification])
        let status = try requester.echo()
        requester.close()
        guard status.isSuccess else { throw DIMSEError.failed(status) }
        let (seconds, attoseconds) = start.duration(to: .now).components
        try channel.send(
            ControlReply.echoed(milliseconds: Double(seconds) * 1000 + Double(attoseconds) / 1e15))
    }

    private func verify(_ channel: Channel) throws {
        let archive = service.archive
        let total = try archive.catalog.totals().instances
        var done = 0
        var report = ObjectVerification()
        var places: Set<BlobLocation> = []
        var last: UInt64 = 0
        while true {
            let page = try archive.catalog.holdings(after: last, limit: Self.pageSize)
            guard let end = page.last else { break }
            last = end.sequence
            for holding in page {
                do throws(ArchiveError) { try archive.verify(holding) } catch {
                    switch error {
                    // Destroyed since the page was read.
                    case .notFound: break
                    default:
                        places.insert(BlobLocation(pack: holding.pack, offset: holding.byteOffset))
                        guard try archive.isShown(holding) else {
                            report.damagedHidden += 1
                            break
                        }
                        report.note(
                            .init(
                                studyInstanceUID: holding.studyInstanceUID, sopInstanceUID: holding.sopInstanceUID))
                    }
                }
                done += 1
                if done.isMultiple(of: Self.progressStep) {
                    try channel.send(ControlReply.progress(done: done, total: max(done, total)))
                }
            }
        }
        report.objects = done
        report.unlisted = try archive.unlisted(besides: places)
        try channel.send(ControlReply.verified(report))
    }

    private func reindex(_ channel: Channel) throws {
        let report = try service.archive.reindex { done, total in
            guard done.isMultiple(of: Self.progressStep) else { return }
            // Nothing is stored meanwhile: the rebuild goes on without a watcher, and waits for none.
            channel.offer(ControlReply.progress(done: done, total: total))
        }
        try channel.send(
            ControlReply.reindexed(
                objects: report.objectsAdded, events: report.eventsApplied, damaged: report.damagedObjects))
    }

    private func importObjects(from peer: String, _ channel: Channel) throws {
        let access = service.access
        let known = access.peer(aeTitle: peer)
        // Whose it is stays with every object for good: a slip of the name must not make it ours.
        guard known != nil || peer == ImportCommand.ownName else {
            throw ControlError.refused("no peer of that name is known: see `huizhen peer list`")
        }
        guard known?.admission == nil else {
            throw ControlError.refused("what that peer stores is de-identified as it comes: send it by C-STORE")
        }
        let sender = Sender(
            peer: peer, institution: known?.institution ?? access.settings.institution, door: "import")
        let arrival = service.archive.arrival()
        let ledger = StoreLedger(access, actor: actor(channel), door: Self.door)
        while let head = try channel.receiveOptional(ObjectHead.self) {
            var incoming: Incoming?
            var failure: ArchiveError?
            do throws(ArchiveError) {
                incoming = try service.archive.receive(
                    from: sender, by: arrival, defaultIssuer: known?.issuer ?? access.settings.issuer,
                    transferSyntax: TransferSyntax(uid: head.transferSyntaxUID), expectedClass: head.sopClassUID,
                    expectedUID: head.sopInstanceUID)
                incoming?.require { (identity) throws(ArchiveError) in
                    do throws(Denial) {
                        try ledger.begin(study: identity.studyInstanceUID, patientID: identity.patientID)
                    } catch { throw .notRecorded }
                }
            } catch { failure = error }
            do throws(ControlError) {
                try channel.receiveData { piece in
                    guard failure == nil else { return }
                    do throws(ArchiveError) { try incoming?.append(piece) } catch {
                        failure = error
                        incoming?.abandon()
                    }
                }
            } catch {
                guard case .objectEnded(let why) = error else { throw error }
                incoming?.abandon()
                try channel.send(ControlReply.stored(outcome: nil, failure: why))
                continue
            }
            var outcome: StoreOutcome?
            if failure == nil {
                do throws(ArchiveError) { outcome = try incoming?.finish() } catch { failure = error }
            }
            if let outcome, outcome != .differs, let study = incoming?.identity?.studyInstanceUID {
                ledger.count(study: study)
            }
            try channel.send(
                ControlReply.stored(outcome: outcome?.rawValue, failure: failure.map { "\($0)" }))
        }
    }
}
