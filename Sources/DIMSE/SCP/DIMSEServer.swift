import Access
import Archive
import DICOM
import Foundation
import Glibc
import Logging
import Queue
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
    private let condition = NSCondition()
    private var listener: Listener?
    private var connections: [Int: Connection] = [:]
    private var perAddress: [String: Int] = [:]
    private var accepted = 0
    private var nextID = 0
    private var isStopping = false

    /// Stack of an association's thread, in bytes.
    private static let stackByteCount = 1 << 20

    public init(
        archive: Archive, access: Access, queue: JobQueue, settings: DIMSESettings, metrics: DIMSEMetrics,
        logger: Logger
    ) {
        let sender = ObjectSender(aeTitle: access.settings.aeTitle, timeouts: settings.timeouts, metrics: metrics)
        shared = Shared(
            archive: archive, access: access, settings: settings, metrics: metrics, logger: logger,
            sender: sender, queue: queue)
        let forwarding = Forwarding(archive: archive, access: access, sender: sender)
        queue.handle(ForwardWork.kind) { forwarding.perform($0) }
        let reporting = CommitmentReporting(archive: archive, access: access, timeouts: settings.timeouts)
        queue.handle(CommitmentWork.kind) { reporting.perform($0) }
    }

    /// Opens every address and begins to accept.
    ///
    /// - Returns: the port that is listened on; another than the configured one only when that is 0.
    /// - Throws: `.unreachable` with the system's error number when an address cannot be bound.
    @discardableResult
    public func start() throws(AssociationError) -> UInt16 {
        let listener = try Listener(addresses: shared.settings.addresses, port: shared.settings.port)
        condition.lock()
        self.listener = listener
        condition.unlock()
        let thread = Thread { [self] in accept(from: listener) }
        thread.name = "accept"
        thread.start()
        return listener.port
    }

    /// Takes no new associations, ends idle ones at once, lets running operations finish for `stopTimeout`, then
    /// aborts them. Nothing is left half stored.
    public func stop() {
        condition.lock()
        isStopping = true
        let open = listener
        for connection in connections.values where !connection.isBusy { connection.cancellation.cancel() }
        condition.unlock()
        open?.close()
        let (seconds, _) = shared.settings.stopTimeout.components
        wait(until: Date(timeIntervalSinceNow: TimeInterval(seconds)))
        condition.lock()
        for connection in connections.values { connection.cancellation.cancel() }
        condition.unlock()
        wait(until: Date(timeIntervalSinceNow: 5))
    }

    private func wait(until date: Date) {
        condition.lock()
        while !connections.isEmpty { if !condition.wait(until: date) { break } }
        condition.unlock()
    }

    private func accept(from listener: Listener) {
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
                shared.logger.info("connection limit reached", metadata: ["address": "\(connection.peerAddress)"])
                refuseForLimit(connection)
                continue
            }
            let thread = Thread { [self] in serve(connection, id: id, cancellation: cancellation) }
            thread.name = "association"
            thread.stackSize = Self.stackByteCount
            thread.start()
        }
    }

    /// Rejected-transient, local-limit-exceeded, without waiting for the request. PS3.8 §9.3.4.
    private func refuseForLimit(_ connection: AcceptedConnection) {
        let rejection = Rejection.localLimitExceeded
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

    private func serve(_ connection: AcceptedConnection, id: Int, cancellation: Cancellation) {
        let address = connection.peerAddress
        var wasAccepted = false
        defer { leave(id, wasAccepted: wasAccepted) }
        let association: Association
        do throws(AssociationError) {
            association = try Association.receive(
                socket: connection.socket, timeouts: shared.settings.timeouts,
                maximumPDU: shared.settings.maximumPDU, cancellation: cancellation)
        } catch {
            shared.metrics.rejected("no-association")
            shared.logger.info(
                "connection without association", metadata: ["address": "\(address)", "reason": "\(error)"])
            return
        }
        let permit: Permit
        do throws(Refusal) {
            permit = try shared.access.admit(
                calling: association.callingAETitle, called: association.calledAETitle, address: address)
        } catch { return refuse(association, error, address: address) }
        guard admitAssociation(id: id) else {
            shared.metrics.rejected("association-limit")
            shared.logger.notice("association limit reached", metadata: ["calling": "\(permit.aeTitle)"])
            association.reject(.localLimitExceeded)
            return
        }
        wasAccepted = true
        if permit.isPlainOverNetwork { shared.metrics.plainAssociations.add() }
        let negotiation = Negotiation(
            services: permit.services, acceptsUnknownSOPClasses: shared.settings.acceptsUnknownSOPClasses)
        do throws(AssociationError) {
            try association.accept(negotiation.answers(to: association.proposed))
        } catch { return }
        shared.metrics.associationsAccepted.add()
        Session(association, permit: permit, shared: shared).run { self.setBusy(id, $0) }
    }

    private func refuse(_ association: Association, _ refusal: Refusal, address: String) {
        shared.metrics.rejected("access")
        shared.logger.notice(
            "association refused",
            metadata: ["calling": "\(association.callingAETitle)", "address": "\(address)", "reason": "\(refusal)"])
        switch refusal {
        case .calledAETitleNotRecognized: association.reject(.calledAETitleNotRecognized)
        case .callingAETitleNotRecognized: association.reject(.callingAETitleNotRecognized)
        case .plainNotAllowed: association.reject(.noReasonGiven)
        }
    }
}
