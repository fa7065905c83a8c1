import DICOM
import Toolkit

/// Command sets and data sets over one association. Used by the association's own thread.
final class MessageStream {
    /// The largest identifier that is read: keys of a query, not an object.
    static let identifierByteCountLimit = 1 << 20

    let association: Association

    init(_ association: Association) { self.association = association }

    /// The next command set and the presentation context it came on.
    ///
    /// - Throws: `.association(.released)` when the other side wants to end.
    func nextCommand(idle: Duration? = nil) throws(DIMSEError) -> (command: Command, contextID: UInt8) {
        var bytes: [UInt8] = []
        while true {
            let pdv = try readPDV(idle: idle)
            guard pdv.isCommand else { throw .unexpectedMessage("a data set") }
            bytes.append(contentsOf: pdv.bytes)
            guard bytes.count <= Command.byteCountLimit else { throw .tooLarge(limit: Command.byteCountLimit) }
            guard pdv.isLast else { continue }
            do throws(ParseError) { return (try Command(bytes: bytes), pdv.contextID) } catch { throw .unreadable }
        }
    }

    /// Gives the fragments of the data set that follows a command.
    func readDataSet(contextID: UInt8, _ body: (UnsafeRawBufferPointer) -> Void) throws(DIMSEError) {
        while true {
            let pdv = try readPDV(idle: nil)
            guard !pdv.isCommand else { throw .unexpectedMessage("a command") }
            guard pdv.contextID == contextID else { throw .unexpectedMessage("a fragment of another context") }
            body(pdv.bytes)
            if pdv.isLast { return }
        }
    }

    /// Reads an identifier whole, text turned into UTF-8.
    func readIdentifier(
        contextID: UInt8, transferSyntax: TransferSyntax, byteCountLimit: Int = identifierByteCountLimit
    ) throws(DIMSEError) -> Dataset {
        var bytes: [UInt8] = []
        var isTooLarge = false
        try readDataSet(contextID: contextID) { fragment in
            if bytes.count + fragment.count > byteCountLimit {
                isTooLarge = true
            } else {
                bytes.append(contentsOf: fragment)
            }
        }
        if isTooLarge { throw .tooLarge(limit: byteCountLimit) }
        do throws(ParseError) { return try Dataset.parse(bytes, transferSyntax: transferSyntax) } catch {
            throw .unreadable
        }
    }

    /// Sends a command set and, whole, the data set that belongs to it.
    func send(_ command: Command, dataSet: [UInt8]? = nil, contextID: UInt8) throws(DIMSEError) {
        try send(command.encoded(), dataSet: dataSet, contextID: contextID)
    }

    /// The same with a command set that is sent over and over, encoded.
    func send(_ command: [UInt8], dataSet: [UInt8]?, contextID: UInt8) throws(DIMSEError) {
        try write(command, contextID: contextID, isCommand: true)
        if let dataSet { try write(dataSet, contextID: contextID, isCommand: false) }
    }

    /// Sends what has gathered.
    func flush() throws(DIMSEError) {
        do throws(AssociationError) { try association.flush() } catch { throw .association(error) }
    }

    private func write(_ bytes: [UInt8], contextID: UInt8, isCommand: Bool) throws(DIMSEError) {
        let step = association.maximumPDVByteCount
        var offset = 0
        repeat {
            let end = min(offset + step, bytes.count)
            let isLast = end == bytes.count
            do {
                try bytes.withUnsafeBytes { whole in
                    try association.writePDV(
                        contextID: contextID, isCommand: isCommand, isLast: isLast,
                        UnsafeRawBufferPointer(rebasing: whole[offset..<end]))
                }
            } catch let error as AssociationError {
                throw .association(error)
            } catch { throw .unreadable }
            offset = end
        } while offset < bytes.count
    }

    /// Whether the other side has cancelled this operation. PS3.7 §9.3.2.3.
    ///
    /// Looks without waiting; anything else than a cancellation is a breach of the protocol.
    func isCancelled(messageID: UInt16) throws(DIMSEError) -> Bool {
        var isCancelled = false
        while association.hasIncomingData {
            let (command, _) = try nextCommand()
            guard command.field == .cancelRequest else { throw .unexpectedMessage("a request during another") }
            if command.messageIDBeingRespondedTo == messageID { isCancelled = true }
        }
        return isCancelled
    }

    private func readPDV(idle: Duration?) throws(DIMSEError) -> PDV {
        do throws(AssociationError) { return try association.readPDV(idle: idle) } catch { throw .association(error) }
    }
}
