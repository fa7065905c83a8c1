import Access
import Foundation

@testable import Control

extension FuzzTarget {
    /// The frames of the operator's socket, in the orders in which either side reads them.
    static let control = FuzzTarget("control", byteCountLimit: 4096) { _ in
        controlSeeds()
    } run: { input in
        var reader = InputReader(input)
        let order = reader.byte()
        guard let pair = SocketPair(sending: reader.rest) else { return }
        defer { pair.closeFar() }
        let channel = Channel(descriptor: pair.near)
        do throws(ControlError) {
            switch order % 3 {
            case 0: while true { _ = try channel.receive(ControlRequest.self) }
            case 1:
                while try channel.receiveOptional(ObjectHead.self) != nil {
                    var byteCount = 0
                    try channel.receiveData { byteCount += $0.count }
                }
            default: while true { _ = try channel.receive(ControlReply.self) }
            }
        } catch {}
    }
}

private func frame(_ kind: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [kind] + (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
}

private func frame(_ message: some Encodable) -> [UInt8] {
    frame(0x4A, (try? JSONEncoder().encode(message)).map { Array($0) } ?? [])
}

private func controlSeeds() -> [[UInt8]] {
    let requests: [ControlRequest] = [
        .status, .removePeer(aeTitle: "CT1"), .jobs(states: [], limit: 5), .retryJob(3), .import(peer: "CT1"),
        .remove(study: "1.2", series: nil, instance: "1.3", now: true, accessionNumbers: [], by: "op", reason: "r"),
        .export(studies: ["1.2"], series: [], instances: []),
    ]
    let replies: [ControlReply] = [
        .progress(done: 1, total: 2), .verified(ObjectVerification()), .echoed(milliseconds: 1.5), .failed("no"),
        .conflicts([
            ConflictReport(
                studyInstanceUID: "1.2", patientID: "P", issuer: "I", institution: "A", heldByPatientID: nil,
                heldByIssuer: nil, heldByInstitution: nil, instances: 3)
        ]),
    ]
    let head = ObjectHead(transferSyntaxUID: "1.2", sopClassUID: "1.3", sopInstanceUID: "1.4")
    let object = frame(head) + frame(0x44, [1, 2, 3]) + frame(0x44, []) + frame(0x45, [])
    return requests.map { [0] + frame($0) } + replies.map { [2] + frame($0) } + [
        [1] + object + object + frame(0x45, [])
    ]
}
