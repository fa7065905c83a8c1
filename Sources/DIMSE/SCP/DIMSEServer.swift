import Access
import Archive
import DICOM
import Foundation
import Glibc
import Logging
import Queue
import Release
import Routing
import Toolkit

/// The DIMSE door: listens, gives every connection a thread, and keeps the limits.
public final class DIMSEServer: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked.

    private struct Connection {
        var address: String
        let cancellation = Cancellation()
        var isBusy = false
    }

    private let shared: Shared
    private let refusals: RefusalTally
    private let lines: RefusalLines
    private let condition = NSCondition()
    private var listeners: [Listener] = []
    private var connections: [Int: Connection] = [:]
    private var perAddress: [String: Int] = [:]
    private var accepted = 0
    private var nextID = 0
    private var isStopping = false

    /// Stack of an association's thread, in bytes.
    private static let stackByteCount = 1 << 20

    /// - Parameters:
    ///   - credentials: for the TLS port and for calling peers over TLS; nil for neither.
    ///   - toSite: does what routes forward to sites.
    public init(
        archive: Archive, access: Access, queue: JobQueue, releases: Releases, settings: DIMSESettings,
        metrics: DIMSEMetrics, logger: Logger, credentials: TransportCredentials? = nil,
        toSite: (@Sendable (ForwardWork, Peer, _ priority: Int) -> JobOutcome)? = nil
    ) {
        refusals = RefusalTally(access, door: Session.door)
        lines = RefusalLines(logger)
        let sender = ObjectSender(
            aeTitle: access.settings.aeTitle, timeouts: settings.timeouts, metrics: metrics, credentials: credentials)
        shared = Shared(
            archive: archive, access: access, settings: settings, metrics: metrics, logger: logger,
            sender: sender, queue: queue, credentials: credentials, releases: releases)
        let forwarding = Forwarding(
            items: shared.items, access: access, sender: sender, stopTimeout: settings.stopTimeout,
            toSite: toSite)
        queue.handle(ForwardWork.kind) { forwarding.perform($0) }
        let reporting = CommitmentReporting(
            archive: archive, access: access, timeouts: settings.timeouts, credentials: credentials)
        queue.handle(CommitmentWork.kind) { reporting.perform($0) }
    }

    /// Opens every address and begins to accept.
    ///
    /// - Returns: the ports that are listened on; others than the configured ones only when those are 0. The second is
    ///   for TLS, nil without it.
    /// - Throws: which port cannot be listened on, and why.
    @discardableResult
    public func start() throws(ListenFailure) -> (plain: UInt16, tls: UInt16?) {
        let plain = try listen(on: shared.settings.port, isSecure: false)
        var secure: Listener?
        if let port = shared.settings.tlsPort, shared.credentials != nil {
            secure = try listen(on: port, isSecure: true)
        }
        begin(plain, isSecure: false)
        if let secure { begin(secure, isSecure: true) }
        return (plain.port, secure?.port)
    }

    private func listen(on port: UInt16, isSecure: Bool) throws(ListenFailure) -> Listener {
        do throws(AssociationError) {
            return try Listener(addresses: shared.settings.addresses, port: port)
        } catch { throw ListenFailure(port: port, isSecure: isSecure, cause: error) }
    }

    private func begin(_ listener: Listener, isSecure: Bool) {
        condition.lock()
        listeners.append(listener)
        condition.unlock()
        let thread = Thread { [self] in accept(from: listener, isSecure: isSecure) }
        thread.name = "accept"
        thread.start()
    }

    /// Takes no new associations, ends idle ones at once, lets running operations finish for `stopTimeout`, then
    /// aborts them. Nothing is left half stored.
    public func stop() {
        condition.lock()
        isStopping = true
        let open = listeners
        for connection in connections.values where !connection.isBusy { connection.cancellation.cancel() }
        condition.unlock()
        open.forEach { $0.close() }
        let (seconds, _) = shared.settings.stopTimeout.components
        wait(until: Date(timeIntervalSinceNow: TimeInterval(seconds)))
        condition.lock()
        for connection in connections.values { connection.cancellation.cancel() }
        condition.unlock()
        wait(until: Date(timeIntervalSinceNow: 5))
        refusals.flush()
        lines.flush()
    }

    private func wait(until date: Date) {
        condition.lock()
        while !connections.isEmpty { if !condition.wait(until: date) { break } }
        condition.unlock()
    }

    private func accept(from listener: Listener, isSecure: Bool) {
        while true {
            let connection: AcceptedConnection
            do throws(AssociationError) {
                guard let accepted = try listener.accept() else { continue }
                connection = accepted
            } catch {
                if error != .cancelled {
                    shared.logger.error("no connections are accepted any more", metadata: ["reason": "\(error)"])
                }
                return
            }
            guard let (id, cancellation) = admit(connection.peerAddress) else {
                shared.metrics.rejected("connection-limit")
                lines.note("connection limit reached", from: connection.peerAddress)
                if isSecure { connection.close() } else { refuseForLimit(connection) }
                continue
            }
            let thread = Thread { [self] in
                serve(connection, isSecure: isSecure, id: id, cancellation: cancellation)
            }
            thread.name = "association"
            thread.stackSize = Self.stackByteCount
            thread.start()
        }
    }

    /// Rejected-transient, local-limit-exceeded, without waiting for the request. PS3.8 §9.3.4.
    private func refuseForLimit(_ connection: AcceptedConnection) {
        let rejection = AssociationRefusal.limit.rejection
        let bytes: [UInt8] = [
            0x03, 0, 0, 0, 0, 4, 0, rejection.result, rejection.source, rejection.reason,
        ]
        _ = Glibc.send(connection.socket, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
        shutdown(connection.socket, Int32(SHUT_WR))
        connection.close()
    }

    /// Counts a connection in, or refuses it.
    private func admit(_ address: String) -> (Int, Cancellation)? {
        condition.lock()
        defer { condition.unlock() }
        guard !isStopping, connections.count < shared.settings.connectionLimit,
            perAddress[address, default: 0] < shared.settings.connectionLimitPerAddress
        else { return nil }
        nextID += 1
        let connection = Connection(address: address)
        connections[nextID] = connection
        perAddress[address, default: 0] += 1
        shared.metrics.connections.set(Int64(connections.count))
        return (nextID, connection.cancellation)
    }

    private func leave(_ id: Int, wasAccepted: Bool) {
        condition.lock()
        if let connection = connections.removeValue(forKey: id) {
            let left = perAddress[connection.address, default: 1] - 1
            perAddress[connection.address] = left > 0 ? left : nil
        }
        if wasAccepted { accepted -= 1 }
        shared.metrics.connections.set(Int64(connections.count))
        shared.metrics.associations.set(Int64(accepted))
        condition.broadcast()
        condition.unlock()
    }

    /// Counts an association in, or refuses it.
    private func admitAssociation(id: Int) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isStopping, accepted < shared.settings.associationLimit else { return false }
        accepted += 1
        shared.metrics.associations.set(Int64(accepted))
        return true
    }

    /// - Returns: whether the association may go on.
    private func setBusy(_ id: Int, _ isBusy: Bool) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        connections[id]?.isBusy = isBusy
        return !isStopping
    }

    private func serve(_ connection: AcceptedConnection, isSecure: Bool, id: Int, cancellation: Cancellation) {
        let address = connection.peerAddress
        var wasAccepted = false
        defer { leave(id, wasAccepted: wasAccepted) }
        let association: Association
        let security = isSecure ? shared.credentials?.accepting(pins: shared.access.boundFingerprints()) : nil
        do throws(AssociationError) {
            association = try Association.receive(
                socket: connection.socket, timeouts: shared.settings.timeouts,
                maximumPDU: shared.settings.maximumPDU, security: security, cancellation: cancellation)
        } catch {
            var isInsecure = false
            if case .insecure = error { isInsecure = true }
            shared.metrics.rejected(isInsecure ? "tls" : "no-association")
            return lines.note("connection without association", from: address, reason: "\(error)")
        }
        let permit: Permit
        // Before it is let in: what changes meanwhile is noticed.
        let standing = shared.access.standing(of: association.callingAETitle)
        let wantsResponse = association.identity?.wantsResponse == true
        do throws(Refusal) {
            permit = try shared.access.admit(
                calling: association.callingAETitle, called: association.calledAETitle, address: address,
                security: association.callerSecurity, identity: association.claimedIdentity)
        } catch { return refuse(association, error, address: address) }
        guard admitAssociation(id: id) else {
            shared.metrics.rejected("association-limit")
            lines.note("association limit reached", from: address)
            association.reject(AssociationRefusal.limit.rejection)
            return
        }
        wasAccepted = true
        if permit.isPlainOverNetwork { shared.metrics.plainAssociations.add() }
        if isSecure { shared.metrics.tlsAssociations.add() }
        let negotiation = Negotiation(
            services: permit.services, acceptsUnknownSOPClasses: shared.settings.acceptsUnknownSOPClasses,
            queryExtensions: shared.settings.queryExtensions)
        do throws(AssociationError) {
            try association.accept(
                negotiation.answers(to: association.proposed),
                identityResponse: wantsResponse ? permit.identityResponse : nil)
        } catch {
            // It went away before it had its answer.
            shared.metrics.associationsAborted.add()
            return lines.note("association not begun", from: address, reason: "\(error)")
        }
        shared.metrics.associationsAccepted.add()
        Session(association, permit: permit, standing: standing, shared: shared).run { self.setBusy(id, $0) }
    }

    private func refuse(_ association: Association, _ refusal: Refusal, address: String) {
        shared.metrics.rejected("access")
        refusals.note(from: address, name: association.callingAETitle, reason: "association: \(refusal)")
        lines.note("association refused", from: address, reason: "\(refusal)")
        association.reject(AssociationRefusal(refusal).rejection)
    }
}

extension Association {
    /// How the caller's connection is protected, in `Access`' words.
    var callerSecurity: CallerSecurity {
        guard tlsVersion != nil else { return .plain }
        return .tls(
            certificate: certificate.map {
                CallerCertificate(fingerprint: "\($0.fingerprint)", isTrusted: $0.isTrusted, names: $0.names)
            })
    }

    var claimedIdentity: ClaimedIdentity? {
        identity.map { ClaimedIdentity(kind: $0.kindCode, primary: $0.primary, secondary: $0.secondary) }
    }
}
