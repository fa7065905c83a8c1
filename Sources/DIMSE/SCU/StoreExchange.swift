import Archive
import DICOM
import Toolkit

/// C-STORE requests over an association that is open, one after another. Used by one thread.
final class StoreExchange {
    private struct Key: Hashable {
        var sopClass: String
        var syntax: String
    }

    private let stream: MessageStream
    private let buffer = PieceBuffer()
    private var contextIDs: [Key: UInt8] = [:]
    /// Other transfer syntaxes the other side takes objects of a class in, the best first.
    private var otherSyntaxes: [String: [String]] = [:]
    /// What objects are written in whatever they are stored in, the best first.
    private let preferred: [String]
    private var messageID: UInt16 = 0
    private var cancelled: Set<UInt16> = []
    /// Why the latest object that was not sent could not be, without patient data.
    private(set) var failure: String?
    /// The object that is sent next, read while the other side is busy with this one.
    private let ahead = ObjectAhead()

    init(stream: MessageStream, contexts: [PresentationContext], preferred: [String] = []) {
        self.stream = stream
        self.preferred = preferred
        for context in contexts {
            guard let syntax = context.acceptedTransferSyntax else { continue }
            contextIDs[Key(sopClass: context.abstractSyntax, syntax: syntax)] = context.id
            otherSyntaxes[context.abstractSyntax, default: []].append(syntax)
        }
        for (sopClass, syntaxes) in otherSyntaxes {
            otherSyntaxes[sopClass] = TransferSyntax.inOrderOfRewriting(syntaxes)
        }
    }

    /// The object as the other side takes it: as it is stored if it may be, else written anew; nil when there is no way.
    private func outgoing(_ item: any SendItem) -> (item: any SendItem, contextID: UInt8)? {
        func accepted(_ syntax: String) -> UInt8? { contextIDs[Key(sopClass: item.sopClassUID, syntax: syntax)] }
        func rewritten(_ syntaxes: [String]) -> (any SendItem, UInt8)? {
            for syntax in syntaxes {
                if let id = accepted(syntax), let rewritten = item.rewritten(in: syntax) { return (rewritten, id) }
            }
            return nil
        }
        // Only images are written as is preferred: all else is no smaller in a syntax made for pixels.
        let isPreferred = preferred.isEmpty || preferred.contains(item.transferSyntaxUID) || !item.hasPixels
        if !isPreferred, let found = rewritten(preferred) { return found }
        if let id = accepted(item.transferSyntaxUID) { return (item, id) }
        return rewritten(otherSyntaxes[item.sopClassUID] ?? [])
    }

    /// Sends one object.
    ///
    /// - Parameters:
    ///   - sent: told how many bytes went out.
    ///   - whileWaiting: called once everything is out, before the answer is waited for; names what is sent next.
    /// - Returns: the other side's status; nil when it took no presentation context for the object, or the object
    ///   could not be opened.
    /// - Throws: when the association is of no further use.
    func send(
        _ item: any SendItem, originator: (aeTitle: String, messageID: UInt16)?, sent: (Int) -> Void,
        whileWaiting next: () -> (any SendItem)?
    ) throws(DIMSEError) -> Status? {
        failure = nil
        guard let (item, contextID) = outgoing(item) else {
            failure = "the other side accepts no transfer syntax that the object can be had in"
            return nil
        }
        messageID &+= 1
        var request = Command(
            .storeRequest, messageID: messageID, sopClassUID: item.sopClassUID, hasDataSet: true)
        request.affectedSOPInstanceUID = item.sentInstanceUID
        request.setPriority()
        if let originator { request.setMoveOriginator(aeTitle: originator.aeTitle, messageID: originator.messageID) }
        guard try sendPieces(item, after: request, contextID: contextID, sent: sent) else { return nil }
        if let next = next(), let (item, _) = outgoing(next) { ahead.load(item, through: buffer) }
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
        _ item: any SendItem, after request: Command, contextID: UInt8, sent: (Int) -> Void
    ) throws(DIMSEError) -> Bool {
        var fragments = FragmentWriter(
            association: stream.association, contextID: contextID,
            byteCount: ahead.byteCount(of: item) ?? (item.isByteCountExact ? item.byteCount : nil))
        var hasBegun = false
        do {
            try ahead.forEachPiece(of: item, through: buffer) { piece in
                if !hasBegun {
                    hasBegun = true
                    try stream.send(request, contextID: contextID)
                }
                try fragments.write(piece)
                sent(piece.count)
            }
            if !hasBegun { return false }
            try fragments.finish()
            guard fragments.isComplete else { throw DIMSEError.objectUnreadable }
            try stream.association.flush()
            return true
        } catch let error as AssociationError {
            throw .association(error)
        } catch let error as DIMSEError {
            throw error
        } catch {
            failure = "\(error)"
            // The other side waits for the rest of an object that cannot be read: only an abort is honest.
            if hasBegun { throw .objectUnreadable }
            return false
        }
    }
}

/// Cuts a data set's bytes into fragments and marks the last one. PS3.8 Annex E.
private struct FragmentWriter {
    /// Pieces are a multiple of this, so that none of them ends in a crumb.
    private static let preferredByteCount = 65_536

    let association: Association
    let contextID: UInt8
    /// Nil when that is known only at the end.
    let byteCount: UInt64?
    private var written: UInt64 = 0
    /// The latest piece while it may be the last one, which must be marked.
    private var held: [UInt8]?

    init(association: Association, contextID: UInt8, byteCount: UInt64?) {
        self.association = association
        self.contextID = contextID
        self.byteCount = byteCount
    }

    var isComplete: Bool { byteCount == nil || written == byteCount }

    mutating func write(_ piece: UnsafeRawBufferPointer) throws {
        guard let byteCount else {
            if let held { try held.withUnsafeBytes { try send($0, isLast: false) } }
            held = Array(piece)
            return
        }
        guard UInt64(piece.count) <= byteCount - written else { throw DIMSEError.objectUnreadable }
        try send(piece, isLast: written + UInt64(piece.count) == byteCount)
    }

    /// Sends what was held back.
    mutating func finish() throws {
        guard let held else { return }
        try held.withUnsafeBytes { try send($0, isLast: true) }
    }

    private mutating func send(_ piece: UnsafeRawBufferPointer, isLast: Bool) throws {
        let isWhole = isLast && written == 0
        let step =
            isWhole ? association.maximumPDVByteCount : min(association.maximumPDVByteCount, Self.preferredByteCount)
        var offset = 0
        while offset < piece.count {
            let end = min(offset + step, piece.count)
            written += UInt64(end - offset)
            try association.writePDV(
                contextID: contextID, isCommand: false, isLast: isLast && end == piece.count,
                UnsafeRawBufferPointer(rebasing: piece[offset..<end]))
            offset = end
        }
    }
}

extension PresentationContext {
    /// Whether the requester takes objects on this context in a C-GET.
    var takesObjects: Bool {
        acceptedTransferSyntax != nil && (acceptedRole == .scp || acceptedRole == .both)
    }
}
