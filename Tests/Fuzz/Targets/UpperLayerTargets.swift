import CDCMTK
import DICOM
import Glibc
import Toolkit

@testable import DIMSE

extension FuzzTarget {
    /// What a peer that connects sends: A-ASSOCIATE-RQ, messages, the end. PS3.8 §9.3, PS3.7 §6.3.
    static let acceptor = FuzzTarget("acceptor", byteCountLimit: 32 << 10) { _ in
        acceptorSeeds()
    } run: { input in
        guard let pair = SocketPair(sending: input[...]) else { return }
        defer { pair.closeFar() }
        let timeouts = AssociationTimeouts(
            artim: .milliseconds(200), idle: .milliseconds(200), pdu: .milliseconds(200))
        do throws(AssociationError) {
            let association = try Association.receive(socket: pair.near, timeouts: timeouts, maximumPDU: 16_384)
            let response: [UInt8]? = association.identity == nil ? nil : [0x4F, 0x4B]
            try association.accept(answers(to: association.proposed), identityResponse: response)
            readMessages(association)
        } catch {
            try require(error != .misuse, "what was proposed cannot be answered")
        }
    }

    /// What a peer that was called answers.
    static let requester = FuzzTarget("requester", byteCountLimit: 32 << 10) { _ in
        requesterSeeds()
    } run: { input in
        hz_initialize()
        guard let pair = SocketPair(sending: input[...]) else { return }
        defer { pair.closeFar() }
        var association: OpaquePointer?
        let failure = requestVerification(socket: pair.near, &association)
        defer { hz_association_destroy(association) }
        guard failure.status == .OK, let association else {
            return try require(association == nil, "an association that failed is there")
        }
        var pdv = HZPDV()
        var status = HZStatus.OK
        var sum: UInt8 = 0
        while status == .OK {
            status = hz_association_read(association, -1, &pdv).status
            guard status == .OK else { break }
            for byte in UnsafeBufferPointer(start: pdv.bytes, count: pdv.byteCount) { sum &+= byte }
            try require(pdv.contextID == 1 || pdv.contextID == 3, "a PDV came on a context that was not agreed on")
        }
        if status == .released { _ = hz_association_answer_release(association) }
    }
}

/// Everything is agreed on but every third context, with the last syntax it names.
private func answers(to proposed: [PresentationContext]) -> [ContextAnswer] {
    proposed.enumerated().map { index, context in
        if index % 3 == 2 { return .refuse(context.id, .abstractSyntaxNotSupported) }
        return .accept(
            context.id, transferSyntax: context.transferSyntaxes.last ?? "", role: context.role,
            extendedNegotiation: context.extendedNegotiation)
    }
}

/// Reads and answers messages as a session does, until the association ends.
private func readMessages(_ association: Association) {
    let stream = MessageStream(association)
    do throws(DIMSEError) {
        while true {
            let (command, contextID) = try stream.nextCommand()
            guard let syntax = association.accepted[contextID]?.acceptedTransferSyntax else {
                throw .unexpectedMessage("a message on a context that was not accepted")
            }
            if command.hasDataSet {
                _ = try stream.readIdentifier(
                    contextID: contextID, transferSyntax: TransferSyntax(uid: syntax), byteCountLimit: 16_384)
            }
            if command.isRequest {
                try stream.send(Command(answering: command, status: .success), contextID: contextID)
                _ = try stream.isCancelled(messageID: command.messageID)
            }
        }
    } catch {
        if case .association(.released) = error { return association.answerRelease() }
        association.abort()
    }
}

/// Asks for verification on two contexts, one of them in both roles.
private func requestVerification(socket: CInt, _ association: inout OpaquePointer?) -> HZFailure {
    let syntaxes = (["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"] as [String]).map { strdup($0) }
    let words = (["1.2.840.10008.1.1", "2.25.1", "SEED", "CALLING", "CALLED"] as [String]).map { strdup($0) }
    defer { for word in syntaxes + words { free(word) } }
    let timeouts = HZTimeouts(artim: 200, idle: 200, pdu: 200)
    var options = HZOptions(
        socket: socket, cancellation: -1, timeouts: timeouts, maximumPDU: 16_384, implementationClassUID: words[1],
        implementationVersionName: words[2], security: nil)
    let none = HZBytes(bytes: nil, byteCount: 0)
    let name: [UInt8] = [0x41, 0x42]
    return syntaxes.map { UnsafePointer($0) }.withUnsafeBufferPointer { names in
        let proposals = [
            HZProposal(
                contextID: 1, role: .default, abstractSyntax: words[0], transferSyntaxes: names.baseAddress,
                transferSyntaxCount: 2, extension: none),
            HZProposal(
                contextID: 3, role: .both, abstractSyntax: words[0], transferSyntaxes: names.baseAddress,
                transferSyntaxCount: 1, extension: none),
        ]
        return proposals.withUnsafeBufferPointer { proposals in
            name.withUnsafeBufferPointer { name in
                let identity = HZIdentity(
                    kind: 1, wantsResponse: true, primary: HZBytes(bytes: name.baseAddress, byteCount: name.count),
                    secondary: none)
                var request = HZRequest(
                    callingAETitle: words[3], calledAETitle: words[4], proposals: proposals.baseAddress,
                    proposalCount: proposals.count, identity: identity)
                return hz_association_request(&options, &request, &association)
            }
        }
    }
}

// MARK: Seeds

private func short(_ value: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
}

private func long(_ value: Int) -> [UInt8] { short(value >> 16) + short(value) }

private func item(_ type: UInt8, _ bytes: [UInt8]) -> [UInt8] { [type, 0] + short(bytes.count) + bytes }

private func pdu(_ type: UInt8, _ bytes: [UInt8]) -> [UInt8] { [type, 0] + long(bytes.count) + bytes }

/// A P-DATA-TF with one PDV. PS3.8 §9.3.5.
private func data(_ contextID: UInt8, isCommand: Bool, isLast: Bool = true, _ bytes: [UInt8]) -> [UInt8] {
    let header: UInt8 = (isCommand ? 1 : 0) | (isLast ? 2 : 0)
    return pdu(4, long(bytes.count + 2) + [contextID, header] + bytes)
}

private func title(_ text: String) -> [UInt8] {
    Array(text.utf8) + [UInt8](repeating: 0x20, count: max(0, 16 - text.utf8.count))
}

/// A-ASSOCIATE-RQ (1) or -AC (2) with its items. PS3.8 §9.3.2 and §9.3.3.
private func associate(_ type: UInt8, _ contexts: [UInt8]) -> [UInt8] {
    let role = short(17) + Array("1.2.840.10008.1.1".utf8) + [1, 1]
    let findClass = Array(SOPClass.studyRootFind.utf8)
    let identity = type == 1 ? item(0x58, [2, 1] + short(2) + [0x41, 0x42] + short(1) + [0x43]) : item(0x59, short(0))
    let user =
        item(0x51, long(16_384)) + item(0x52, Array("1.2.3".utf8)) + item(0x53, short(1) + short(1)) + item(0x54, role)
        + item(0x55, Array("SEED".utf8)) + item(0x56, short(findClass.count) + findClass + [1, 1, 1])
        + item(0x57, short(3) + Array("1.2".utf8) + short(3) + Array("1.3".utf8) + short(0)) + identity
    return pdu(
        type,
        short(1) + short(0) + title("CALLED") + title("CALLING") + [UInt8](repeating: 0, count: 32)
            + item(0x10, Array("1.2.840.10008.3.1.1.1".utf8)) + contexts + item(0x50, user))
}

private func proposal(_ contextID: UInt8, _ abstractSyntax: String, _ syntaxes: [String]) -> [UInt8] {
    item(
        0x20,
        [contextID, 0, 0, 0] + item(0x30, Array(abstractSyntax.utf8)) + syntaxes.flatMap { item(0x40, Array($0.utf8)) })
}

private let releaseRequest = pdu(5, long(0))
private let releaseReply = pdu(6, long(0))
private let abortion = pdu(7, [0, 0, 2, 1])

private func acceptorSeeds() -> [[UInt8]] {
    let syntaxes = messageSyntaxes.map(\.uid)
    let contexts =
        proposal(1, SOPClass.verification, [syntaxes[0]]) + proposal(3, SOPClass.studyRootFind, Array(syntaxes[0..<3]))
        + proposal(5, "1.2.3.4", syntaxes)
    let open = associate(1, contexts)
    var keys = Dataset()
    keys.set(.patientName, .PN, string: "王*")
    let identifier = keys.encoded(transferSyntax: .explicitVRBigEndian)
    var seeds = [open, open + releaseRequest, open + abortion, open + pdu(9, [1, 2, 3]), releaseRequest]
    for command in commandSeeds() {
        let rest =
            data(3, isCommand: false, isLast: false, Array(identifier.prefix(9)))
            + data(3, isCommand: false, Array(identifier.dropFirst(9)))
        seeds.append(open + data(3, isCommand: true, command) + rest + releaseRequest)
        seeds.append(
            open + data(1, isCommand: true, isLast: false, Array(command.prefix(11)))
                + data(1, isCommand: true, Array(command.dropFirst(11))) + abortion)
    }
    return seeds
}

private func requesterSeeds() -> [[UInt8]] {
    let accepted =
        item(0x21, [1, 0, 0, 0] + item(0x40, Array("1.2.840.10008.1.2".utf8)))
        + item(0x21, [3, 0, 0, 0] + item(0x40, Array("1.2.840.10008.1.2".utf8)))
    let open = associate(2, accepted)
    let refused = item(0x21, [1, 0, 3, 0] + item(0x40, [])) + item(0x21, [3, 0, 4, 0])
    let answers = commandSeeds().map { open + data(1, isCommand: true, $0) + releaseRequest }
    return answers + [
        open, open + releaseReply, open + abortion, associate(2, refused), pdu(3, [0, 1, 1, 7]), abortion,
    ]
}
