import DICOM

/// One file on its way in, as PS3.10 §7 has it: its beginning is kept until it tells how the object is encoded; from there on
/// it is an `Incoming`. Used by one thread; dropping it abandons.
public final class IncomingFile {
    /// Begins to keep an object, under the UIDs that the file's meta information names.
    public typealias Receive =
        (_ transferSyntax: TransferSyntax, _ sopClassUID: String?, _ sopInstanceUID: String?) throws(ArchiveError) ->
        Incoming

    private static let firstByteCount = 4096

    private let receive: Receive
    /// Bytes from the file's beginning until its meta information can be read.
    private var head: [UInt8] = []
    private var nextTry = firstByteCount
    /// Once the file's beginning was read.
    public private(set) var incoming: Incoming?
    /// As the meta information names it.
    public private(set) var sopClassUID: String?
    public private(set) var sopInstanceUID: String?

    public init(_ receive: @escaping Receive) { self.receive = receive }

    /// - Throws: `.unreadable` for what is no DICOM; as `Incoming.append`.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        if let incoming { return try incoming.append(bytes) }
        head.append(contentsOf: bytes)
        if head.count >= nextTry { try readMeta(isWhole: false) }
    }

    /// The file has ended.
    ///
    /// - Returns: what is to be finished.
    public func end() throws(ArchiveError) -> Incoming {
        if incoming == nil { try readMeta(isWhole: true) }
        guard let incoming else { throw .unreadable }
        return incoming
    }

    /// Nothing of the object remains.
    public func abandon() {
        incoming?.abandon()
        head = []
    }

    private func readMeta(isWhole: Bool) throws(ArchiveError) {
        let found: Part10.Meta?
        do throws(ParseError) { found = try Part10.parseMeta(head) } catch {
            guard !isWhole, head.count <= Part10.metaByteCountLimit else { throw .bound(error) }
            nextTry = head.count * 2
            return
        }
        guard let found else { throw .unreadable }
        let held = head
        head = []
        sopClassUID = found.meta.string(.mediaStorageSOPClassUID)
        sopInstanceUID = found.meta.string(.mediaStorageSOPInstanceUID)
        let incoming = try receive(found.transferSyntax, sopClassUID, sopInstanceUID)
        self.incoming = incoming
        var failure: ArchiveError?
        held.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[min(found.datasetOffset, bytes.count)...])
            do throws(ArchiveError) { try incoming.append(rest) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
