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
    /// Associations in a row that break before any object is answered, until a destination is given up: two objects under which
    /// every association breaks, each tried twice, and one more.
    static let fruitlessLimit = 2 * SendRun.attemptLimit + 1

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

        /// Bounds are of what happens in a row: any answer to an object sets them back.
        func work(isFirst: Bool) {
            var failedOpenings = 0
            var fruitless = 0
            // The first stays as long as others have objects that may come back.
            while isFirst ? run.waitForWork() : run.pendingCount > 0 {
                let kinds = run.nextKinds()
                // Another was faster.
                guard !kinds.isEmpty else { continue }
                let association: Association
                do throws(DIMSEError) { association = try open(kinds) } catch {
                    // Only the first may speak for the destination: a further association may just not be welcome.
                    guard isFirst else { return }
                    failedOpenings += 1
                    if failedOpenings >= SendRun.attemptLimit { return run.giveUp(error) }
                    continue
                }
                failedOpenings = 0
                let (hasAnswered, error) = send(kinds, over: association)
                if hasAnswered { fruitless = 0 }
                guard let error else { continue }
                // What is damaged here says nothing of the destination.
                if error.isOfObject { continue }
                guard isFirst else { return }
                fruitless += 1
                if fruitless >= ObjectSender.fruitlessLimit { return run.giveUp(error) }
            }
        }

        private func open(_ kinds: Set<SendKind>) throws(DIMSEError) -> Association {
            let association = try Requester.Target(
                destination, callingAETitle: sender.aeTitle, timeouts: sender.timeouts,
                credentials: sender.credentials
            ).associate(
                ObjectSender.proposals(for: kinds, preferred: destination.sendAs ?? []),
                cancellation: run.cancellation)
            run.noteOpened()
            return association
        }

        /// - Returns: whether any object was answered, and what broke the association if anything did.
        private func send(
            _ kinds: Set<SendKind>, over association: Association
        ) -> (hasAnswered: Bool, error: DIMSEError?) {
            let exchange = StoreExchange(
                stream: MessageStream(association), contexts: Array(association.accepted.values),
                preferred: destination.sendAs ?? [])
            var hasAnswered = false
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
                    if status != nil { hasAnswered = true }
                    run.finished(item, status, reason: exchange.failure)
                } catch {
                    run.broken(item, error, reason: exchange.failure)
                    // Before what broke the association, which may do so again.
                    if let next { run.giveBack(next) }
                    association.abort()
                    return (hasAnswered, error)
                }
                if let reserved = next, run.isStopped {
                    run.giveBack(reserved)
                    break
                }
                current = next ?? run.take(of: kinds)
            }
            // Everything was answered already; how the other side takes the goodbye changes nothing.
            try? association.release()
            return (hasAnswered, nil)
        }
    }
}
