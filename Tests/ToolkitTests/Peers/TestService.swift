import Foundation
import Synchronization
import Testing

@testable import Toolkit

/// A small service in this process: a thread for each connection, which echoes and discards what is stored.
final class TestService: Sendable {
    struct Log {
        var errors: [AssociationError] = []
        var storedByteCounts: [Int] = []
        var answeredCount = 0
        var endedCount = 0
    }

    /// Called once the request has been read, in place of accepting everything.
    typealias Negotiation = @Sendable (Association) throws(AssociationError) -> Bool

    let listener: Listener
    let timeouts: AssociationTimeouts
    let security: TransportSecurity?
    let cancellation = Cancellation()
    private let negotiation: Negotiation
    private let state = Mutex(Log())

    var port: UInt16 { listener.port }
    var log: Log { state.withLock { $0 } }

    init(
        addresses: [String] = ["127.0.0.1", "::1"],
        timeouts: AssociationTimeouts = AssociationTimeouts(artim: .seconds(10), idle: .seconds(20), pdu: .seconds(10)),
        security: TransportSecurity? = nil, negotiation: @escaping Negotiation = TestService.acceptEverything
    ) throws {
        listener = try Listener(addresses: addresses, port: 0)
        self.timeouts = timeouts
        self.security = security
        self.negotiation = negotiation
        Thread.detachNewThread { [self] in
            while let connection = try? listener.accept() {
                Thread.detachNewThread { [self] in serve(connection) }
            }
        }
    }

    func stop() {
        listener.close()
        cancellation.cancel()
    }

    /// Waits until the log satisfies `condition`.
    func wait(until condition: (Log) -> Bool) -> Bool {
        for _ in 0..<3000 {
            if condition(log) { return true }
            usleep(10_000)
        }
        return false
    }

    static func acceptEverything(_ association: Association) throws(AssociationError) -> Bool {
        try association.accept(
            association.proposed.map {
                .accept($0.id, transferSyntax: $0.transferSyntaxes[0], role: $0.role)
            })
        return true
    }

    private func serve(_ connection: AcceptedConnection) {
        defer { state.withLock { $0.endedCount += 1 } }
        do throws(AssociationError) {
            let association = try Association.receive(
                socket: connection.socket, timeouts: timeouts, security: security, cancellation: cancellation)
            do throws(AssociationError) {
                guard try negotiation(association) else { return }
                while true { try answer(association) }
            } catch .released {
                association.answerRelease()
            } catch {
                association.abort()
                throw error
            }
        } catch {
            state.withLock { $0.errors.append(error) }
        }
    }

    private func answer(_ association: Association) throws(AssociationError) {
        var bytes: [UInt8] = []
        while true {
            let pdv = try association.readPDV()
            guard pdv.isCommand else { throw .misuse }
            bytes.append(contentsOf: pdv.bytes)
            guard pdv.isLast else { continue }
            let request = CommandSet(bytes: bytes)
            if request.hasDataSet {
                let byteCount = try discardDataSet(association)
                state.withLock { $0.storedByteCounts.append(byteCount) }
            }
            state.withLock { $0.answeredCount += 1 }
            try association.write(request.response, contextID: pdv.contextID)
            return
        }
    }

    private func discardDataSet(_ association: Association) throws(AssociationError) -> Int {
        var byteCount = 0
        while true {
            let pdv = try association.readPDV()
            byteCount += pdv.bytes.count
            if pdv.isLast { return byteCount }
        }
    }
}

extension Association {
    func write(_ command: CommandSet, contextID: UInt8) throws(AssociationError) {
        try write(command.encoded, contextID: contextID, isCommand: true)
    }

    func write(
        _ bytes: [UInt8], contextID: UInt8, isCommand: Bool, isLast: Bool = true
    ) throws(AssociationError) {
        var failure: AssociationError?
        bytes.withUnsafeBytes { buffer in
            do throws(AssociationError) {
                try writePDV(contextID: contextID, isCommand: isCommand, isLast: isLast, buffer)
            } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func readCommand() throws(AssociationError) -> CommandSet {
        var bytes: [UInt8] = []
        while true {
            let pdv = try readPDV()
            bytes.append(contentsOf: pdv.bytes)
            if pdv.isLast { return CommandSet(bytes: bytes) }
        }
    }

    /// The status of a C-ECHO.
    func echo(messageID: UInt16 = 1) throws(AssociationError) -> UInt16? {
        guard let context = accepted.values.first(where: { $0.abstractSyntax == SOPClass.verification }) else {
            throw .misuse
        }
        try write(.echo(messageID: messageID), contextID: context.id)
        return try readCommand()[number: CommandSet.status]
    }
}

extension AssociationRequest {
    static func toTest(
        host: String = "127.0.0.1", port: UInt16,
        contexts: [PresentationContext] = [
            PresentationContext(
                id: 1, abstractSyntax: SOPClass.verification, transferSyntaxes: [Syntax.implicitLittleEndian])
        ],
        timeouts: AssociationTimeouts = AssociationTimeouts(
            artim: .seconds(10), idle: .seconds(10), pdu: .seconds(10), connect: .seconds(5)),
        security: TransportSecurity? = nil, identity: UserIdentity? = nil
    ) -> AssociationRequest {
        AssociationRequest(
            host: host, port: port, callingAETitle: "TESTSCU", calledAETitle: "TESTSCP", contexts: contexts,
            timeouts: timeouts, security: security, identity: identity)
    }
}
