import Access
import DICOM
import Foundation
import Toolkit

/// Sends objects to peers by C-STORE over several associations at once. PS3.4 Annex B as SCU.
public final class ObjectSender: Sendable {
    /// Presentation contexts of one association; 128 is the most the protocol has.
    static let contextLimit = 128
    /// Kinds of objects sent over one association: each may need a second context.
    static let kindLimit = contextLimit / 2
    /// Objects that must wait before a further association is worth its opening.
    static let objectsPerAssociation = 16

    private let aeTitle: String
    private let timeouts: AssociationTimeouts
    private let metrics: DIMSEMetrics?
    private let credentials: TransportCredentials?

    /// - Parameter credentials: for peers that speak TLS; without them such peers cannot be sent to.
    public init(
        aeTitle: String, timeouts: AssociationTimeouts, metrics: DIMSEMetrics?,
        credentials: TransportCredentials? = nil
    ) {
        self.aeTitle = aeTitle
        self.timeouts = timeouts
        self.metrics = metrics
        self.credentials = credentials
    }

    /// Begins to send; the run tells how far it is.
    ///
    /// A destination that serves one association at a time gets them all over the first: the others are made beside
    /// it and end by themselves when nothing is left.
    public func start(
        _ items: [any SendItem], to destination: Peer, originator: (aeTitle: String, messageID: UInt16)? = nil
    ) -> SendRun {
        let run = SendRun(items)
        let worker = Worker(sender: self, run: run, destination: destination, originator: originator)
        let useful = max(1, (items.count + Self.objectsPerAssociation - 1) / Self.objectsPerAssociation)
        for index in 0..<min(destination.associations, useful) where !items.isEmpty {
            let thread = Thread { worker.work(isFirst: index == 0) }
            thread.name = "send"
            thread.stackSize = 1 << 20
            thread.start()
        }
        return run
    }

    /// One context for each kind, so that everything can go as it is stored; and for each class one of what every
    /// application entity takes, for objects whose syntax the destination does not. PS3.5 §10.1.
    ///
    /// - Parameter preferred: what the destination wants objects to be written in; one context each, for every class.
    static func proposals(for kinds: Set<SendKind>, preferred: [String] = []) -> [PresentationContext] {
        let plain = [TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid]
        var wanted = kinds.sorted().map { (sopClass: $0.sopClassUID, syntaxes: [$0.transferSyntaxUID]) }
        for sopClass in Set(kinds.map(\.sopClassUID)).sorted() {
            for syntax in preferred
            where !plain.contains(syntax)
                && !kinds.contains(SendKind(sopClassUID: sopClass, transferSyntaxUID: syntax))
            {
                wanted.append((sopClass, [syntax]))
            }
            let missing = plain.filter { !kinds.contains(SendKind(sopClassUID: sopClass, transferSyntaxUID: $0)) }
            if !missing.isEmpty { wanted.append((sopClass, missing)) }
        }
        return wanted.prefix(contextLimit).enumerated().map { index, entry in
            PresentationContext(
                id: UInt8(index * 2 + 1), abstractSyntax: entry.sopClass, transferSyntaxes: entry.syntaxes)
        }
    }

    /// What the associations of one run share.
    private struct Worker: Sendable {
        let sender: ObjectSender
        let run: SendRun
        let destination: Peer
        let originator: (aeTitle: String, messageID: UInt16)?

        func work(isFirst: Bool) {
            var failures = 0
            while run.pendingCount > 0 {
                do throws(DIMSEError) {
                    try associate()
                } catch {
                    failures += 1
                    // Only the first may speak for the destination: a further association may just not be welcome.
                    guard isFirst else { return }
                    if failures >= SendRun.attemptLimit { return run.giveUp(error) }
                }
            }
        }

        private func associate() throws(DIMSEError) {
            let kinds = run.nextKinds()
            let contexts = ObjectSender.proposals(for: kinds, preferred: destination.sendAs ?? [])
            guard !contexts.isEmpty else { return }
            let association = try Requester.Target(
                destination, callingAETitle: sender.aeTitle, timeouts: sender.timeouts,
                credentials: sender.credentials
            ).associate(contexts)
            let exchange = StoreExchange(
                stream: MessageStream(association), contexts: Array(association.accepted.values),
                preferred: destination.sendAs ?? [])
            var current = run.take(of: kinds)
            while let item = current {
                var next: (any SendItem)?
                do throws(DIMSEError) {
                    let status = try exchange.send(
                        item, originator: originator, sent: { sender.metrics?.bytesSent.add(UInt64($0)) },
                        whileWaiting: {
                            next = run.take(of: kinds)
                            return next
                        })
                    run.finished(item, status, reason: exchange.failure)
                } catch {
                    run.broken(item, error)
                    if let next { run.giveBack(next) }
                    association.abort()
                    throw error
                }
                if let reserved = next, run.isStopped {
                    run.giveBack(reserved)
                    break
                }
                current = next ?? run.take(of: kinds)
            }
            // Everything was answered already; how the other side takes the goodbye changes nothing.
            try? association.release()
        }
    }
}
