/// The server's side of SFTP, version 3 (draft-ietf-secsh-filexfer-02), over a tree of its own: `/incoming` takes files and
/// shows them to nobody, `/studies` is read. Without sockets and files: packets in, packets and operations out.
///
/// One request at a time: after `.perform` comes `conclude`, then the next packet. Answers come in the order of requests.
public struct Conversation {
    /// What a packet comes to.
    public enum Step {
        /// The packet to send.
        case answer([UInt8])
        /// What to do first; its outcome goes to `conclude`.
        case perform(FileOperation)
    }

    public static let version: UInt32 = 3
    /// Files and directories that are open at a time.
    public static let handleLimit = 16
    /// Files of these that are being taken.
    public static let uploadLimit = 4
    /// Bytes of one read or write at most.
    public static let dataByteCountLimit = PacketReader.byteCountLimit - 1024
    /// Entries of one answer.
    public static let entryLimit = 100
    static let limitsExtension = "limits@openssh.com"

    enum Handle {
        /// A directory that this knows; the entries not yet given.
        case known(ArraySlice<FileEntry>)
        case directory
        case download(FileAttributes)
        case upload(Upload)
    }

    /// A file on its way in.
    struct Upload {
        let path: FilePath
        var window = UploadWindow()
        /// Once set, nothing more of it is taken.
        var failure: (status: SFTPStatus, text: String)?
    }

    /// What the outcome of an operation is for.
    enum Purpose {
        case attributes
        case openDirectory(UInt64)
        case entries
        case openDownload(UInt64)
        case data
        case openUpload(UInt64, FilePath)
        case write(UInt64)
        case finish(FilePath, byteCount: UInt64)
        /// The answer stands, whatever comes of it.
        case drop([UInt8])
    }

    var handles: [UInt64: Handle] = [:]
    var names = UploadNames()
    private var isBegun = false
    private var lastHandle: UInt64 = 0
    private var pending: (id: UInt32, purpose: Purpose)?

    public init() {}

    /// What is open, to be dropped when the conversation breaks off.
    public var openSlots: [UInt64] {
        handles.compactMap { if case .known = $0.value { nil } else { $0.key } }
    }

    /// Takes the next packet, without its length.
    ///
    /// - Throws: why nothing more can be understood; the conversation is over then.
    public mutating func take(_ packet: ArraySlice<UInt8>) throws(SFTPError) -> Step {
        precondition(pending == nil, "an operation is under way")
        if packet.first == PacketKind.begin { return .answer(try begin(packet)) }
        guard isBegun else { throw .outOfOrder }
        let request = try Request(packet)
        switch answer(request) {
        case .answer(let packet): return .answer(packet)
        case .perform(let operation, let purpose):
            pending = (request.id, purpose)
            return .perform(operation)
        }
    }

    /// Takes the outcome of the operation and gives the packet to send.
    public mutating func conclude(_ outcome: FileOutcome) -> [UInt8] {
        guard let (id, purpose) = pending else { preconditionFailure("no operation is under way") }
        pending = nil
        return conclude(id, purpose, outcome)
    }

    private mutating func begin(_ packet: ArraySlice<UInt8>) throws(SFTPError) -> [UInt8] {
        guard !isBegun else { throw .outOfOrder }
        var reader = FieldReader(packet.dropFirst())
        guard try reader.uint32() >= Self.version else { throw .version }
        isBegun = true
        var answer = PacketWriter(PacketKind.version)
        answer.add(Self.version)
        answer.add(Self.limitsExtension)
        answer.add("1")
        return answer.finished()
    }

    /// A number that was never given before; nil when too many are open.
    mutating func newHandle() -> UInt64? {
        guard handles.count < Self.handleLimit else { return nil }
        lastHandle += 1
        return lastHandle
    }

    var uploadCount: Int {
        handles.values.count { if case .upload = $0 { true } else { false } }
    }

    static func limitsAnswer(_ id: UInt32) -> [UInt8] {
        var answer = PacketWriter(PacketKind.extendedAnswer, id: id)
        answer.add(UInt64(PacketReader.byteCountLimit))
        answer.add(UInt64(dataByteCountLimit))
        answer.add(UInt64(dataByteCountLimit))
        answer.add(UInt64(handleLimit))
        return answer.finished()
    }
}
