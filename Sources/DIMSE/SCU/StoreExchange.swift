import DICOM
import Toolkit

/// C-STORE requests over an association that is open, one after another. Used by one thread.
final class StoreExchange {
    private struct Key: Hashable {
        var sopClass: String
        var syntax: String
    }

    private let stream: MessageStream
    private var contextIDs: [Key: UInt8] = [:]
    private var messageID: UInt16 = 0
    private var cancelled: Set<UInt16> = []

    init(stream: MessageStream, contexts: [PresentationContext]) {
        self.stream = stream
        for context in contexts {
            guard let syntax = context.acceptedTransferSyntax else { continue }
            contextIDs[Key(sopClass: context.abstractSyntax, syntax: syntax)] = context.id
        }
    }

    /// Sends one object.
    ///
    /// - Parameter sent: told how many bytes went out.
    /// - Returns: the other side's status; nil when it took no presentation context for the object, or the object
    ///   could not be opened.
    /// - Throws: when the association is of no further use.
    func send(
        _ item: some SendItem, originator: (aeTitle: String, messageID: UInt16)?, sent: (Int) -> Void
    ) throws(DIMSEError) -> Status? {
        guard let contextID = contextIDs[Key(sopClass: item.sopClassUID, syntax: item.transferSyntaxUID)] else {
            return nil
        }
        messageID &+= 1
        var request = Command(
            .storeRequest, messageID: messageID, sopClassUID: item.sopClassUID, hasDataSet: true)
        request.affectedSOPInstanceUID = item.sopInstanceUID
        request.setPriority()
        if let originator { request.setMoveOriginator(aeTitle: originator.aeTitle, messageID: originator.messageID) }
        guard try sendPieces(item, after: request, contextID: contextID, sent: sent) else { return nil }
        while true {
            let (response, _) = try stream.nextCommand()
            if response.field == .cancelRequest {
                cancelled.insert(response.messageIDBeingRespondedTo)
                continue
            }
            guard response.field == .storeResponse, response.messageIDBeingRespondedTo == messageID,
                let status = response.status
            else { throw .unexpectedMessage("another message than the C-STORE response") }
            if response.hasDataSet { throw .unexpectedMessage("a data set after a C-STORE response") }
            return status
        }
    }

    /// Whether a cancellation of this message came in between.
    func wasCancelled(messageID: UInt16) throws(DIMSEError) -> Bool {
        if try stream.isCancelled(messageID: messageID) { return true }
        return cancelled.contains(messageID)
    }

    /// - Returns: false when the object could not be opened, and nothing was sent.
    private func sendPieces(
        _ item: some SendItem, after request: Command, contextID: UInt8, sent: (Int) -> Void
    ) throws(DIMSEError) -> Bool {
        var splitter = FragmentWriter(association: stream.association, contextID: contextID)
        var hasBegun = false
        do {
            try item.forEachPiece { piece in
                if !hasBegun {
                    hasBegun = true
                    try stream.send(request, contextID: contextID)
                }
                try splitter.write(piece)
                sent(piece.count)
            }
            if !hasBegun { return false }
            try splitter.finish()
            try stream.association.flush()
            return true
        } catch let error as AssociationError {
            throw .association(error)
        } catch let error as DIMSEError {
            throw error
        } catch {
            // The other side waits for the rest of an object that cannot be read: only an abort is honest.
            if hasBegun { throw .unreadable }
            return false
        }
    }
}

/// Cuts a data set's bytes into fragments and marks the last one. PS3.8 Annex E.
private struct FragmentWriter {
    let association: Association
    let contextID: UInt8
    /// Kept back, because only the end tells whether it was the last.
    private var kept: [UInt8] = []

    init(association: Association, contextID: UInt8) {
        self.association = association
        self.contextID = contextID
        kept.reserveCapacity(association.maximumPDVByteCount)
    }

    mutating func write(_ piece: UnsafeRawBufferPointer) throws {
        let step = association.maximumPDVByteCount
        var offset = 0
        while offset < piece.count {
            if kept.count == step { try put(isLast: false) }
            if kept.isEmpty, piece.count - offset > step {
                try association.writePDV(
                    contextID: contextID, isCommand: false, isLast: false,
                    UnsafeRawBufferPointer(rebasing: piece[offset..<offset + step]))
                offset += step
                continue
            }
            let count = min(step - kept.count, piece.count - offset)
            kept.append(contentsOf: piece[offset..<offset + count])
            offset += count
        }
    }

    mutating func finish() throws { try put(isLast: true) }

    private mutating func put(isLast: Bool) throws {
        try kept.withUnsafeBytes {
            try association.writePDV(contextID: contextID, isCommand: false, isLast: isLast, $0)
        }
        kept.removeAll(keepingCapacity: true)
    }
}

extension PresentationContext {
    /// Whether the requester takes objects on this context in a C-GET.
    var takesObjects: Bool {
        acceptedTransferSyntax != nil && (acceptedRole == .scp || acceptedRole == .both)
    }
}
