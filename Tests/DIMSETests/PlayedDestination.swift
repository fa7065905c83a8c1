import Access
import DICOM
import Foundation
import Synchronization
import Testing
import Toolkit

@testable import DIMSE

/// A storage service of which the test says what it does with each object.
final class PlayedDestination: Sendable {
    enum Act: Sendable {
        case answer(Status)
        /// A-ABORT as soon as the object is there.
        case abort
        /// A-ABORT once another association has ended.
        case abortBehind(Int)
        /// Nothing more, until the other side goes away.
        case silence
    }

    let port: UInt16
    private let listener: Listener
    private let act: @Sendable (_ sopInstanceUID: String, _ association: Int) -> Act
    private let seen = Mutex<[(uid: String, association: Int)]>([])
    // Read and written with `condition` locked.
    private let condition = NSCondition()
    private nonisolated(unsafe) var begun = 0
    private nonisolated(unsafe) var ended: Set<Int> = []

    /// - Parameter act: told which association it is, from 0 on in the order of their coming.
    init(_ act: @escaping @Sendable (_ sopInstanceUID: String, _ association: Int) -> Act) throws {
        listener = try Listener(addresses: ["127.0.0.1"], port: 0)
        port = listener.port
        self.act = act
        let thread = Thread { [self] in
            while let connection = try? listener.accept() {
                let number = begin()
                let thread = Thread { [self] in
                    serve(connection, number)
                    end(number)
                }
                thread.start()
            }
        }
        thread.start()
    }

    func close() { listener.close() }

    /// Objects that came, with the association they came over.
    var objects: [(uid: String, association: Int)] { seen.withLock { $0 } }

    var associationCount: Int { condition.withLock { begun } }

    private func begin() -> Int {
        condition.withLock {
            defer { begun += 1 }
            return begun
        }
    }

    private func end(_ association: Int) {
        condition.withLock {
            ended.insert(association)
            condition.broadcast()
        }
    }

    private func waitForEnd(of association: Int) {
        condition.withLock { while !ended.contains(association) { condition.wait() } }
    }

    private func serve(_ connection: AcceptedConnection, _ number: Int) {
        guard
            let association = try? Association.receive(socket: connection.socket, timeouts: DIMSEFixture.timeouts),
            (try? association.accept(
                association.proposed.map { .accept($0.id, transferSyntax: $0.transferSyntaxes[0]) })) != nil
        else { return }
        let stream = MessageStream(association)
        do throws(DIMSEError) {
            while true {
                let (command, contextID) = try stream.nextCommand()
                try stream.readDataSet(contextID: contextID) { _ in }
                let uid = command.affectedSOPInstanceUID ?? ""
                seen.withLock { $0.append((uid, number)) }
                switch act(uid, number) {
                case .answer(let status):
                    try stream.send(Command(answering: command, status: status), contextID: contextID)
                    try stream.flush()
                case .abort: return association.abort()
                case .abortBehind(let other):
                    waitForEnd(of: other)
                    return association.abort()
                case .silence: _ = try stream.nextCommand()
                }
            }
        } catch {
            if case .association(.released) = error { association.answerRelease() }
        }
    }

    /// This destination as the service knows it.
    func peer(_ title: String = "PLAYED", associations: Int = 1) -> Peer {
        Peer(
            aeTitle: title, addresses: ["127.0.0.1"], port: port, institution: "Other", issuer: "OTHER",
            associations: associations)
    }

    /// Begins to send to it.
    func start(_ items: [any SendItem], associations: Int = 1) -> SendRun {
        ObjectSender(aeTitle: "TEST", timeouts: DIMSEFixture.timeouts, metrics: nil)
            .start(items, to: peer(associations: associations))
    }
}
