@testable import SFTP

extension FuzzTarget {
    /// Whatever a client of the file channel sends, and a tree that refuses now and then.
    static let sftp = FuzzTarget("sftp", byteCountLimit: 4096) { _ in
        sftpSeeds()
    } run: { input in
        var choices = InputReader(input)
        let seed = choices.byte()
        var reader = PacketReader()
        var conversation = Conversation()
        var tree = FuzzedTree(refuses: choices.byte())
        do throws(SFTPError) {
            for piece in pieces(choices.rest, seed: seed) {
                reader.append(piece)
                while let packet = try reader.next() {
                    let answer: [UInt8]
                    switch try conversation.take(packet) {
                    case .answer(let bytes): answer = bytes
                    case .perform(let operation): answer = conversation.conclude(tree.perform(operation))
                    }
                    tree.check(answer, conversation)
                }
            }
        } catch {}
        try require(tree.flaw == nil, tree.flaw ?? "")
        try require(
            tree.open.isSubset(of: conversation.openSlots), "something is open outside that nobody would close")
    }
}

/// Does what it is told and looks whether that makes sense.
private struct FuzzedTree {
    let refuses: UInt8
    var count: UInt8 = 0
    var open: Set<UInt64> = []
    var uploads: Set<UInt64> = []
    var flaw: String?

    init(refuses: UInt8) { self.refuses = refuses }

    mutating func perform(_ operation: FileOperation) -> FileOutcome {
        count &+= 1
        let isRefused = refuses > 0 && count.isMultiple(of: refuses)
        switch operation {
        case .look: return isRefused ? .failed(.noSuchFile, "") : .attributes(.file(nil))
        case .list(_, let slot), .begin(let slot), .open(_, let slot):
            if open.contains(slot) { flaw = "a slot is given twice" }
            if isRefused { return .failed(.permissionDenied, "") }
            open.insert(slot)
            if case .begin = operation { uploads.insert(slot) }
            if case .open = operation { return .attributes(.file(10)) }
            return .done
        case .nextEntries(let slot):
            if !open.contains(slot) { flaw = "a directory is read that is not open" }
            return isRefused ? .entries([]) : .entries([OpaqueName(slot).directoryEntry])
        case .read(let slot, _, let byteCount):
            if !open.contains(slot) { flaw = "a file is read that is not open" }
            if byteCount > Conversation.dataByteCountLimit { flaw = "too much is read at a time" }
            return isRefused ? .failed(.failure, "") : .data([1, 2, 3])
        case .append(let slot, let pieces):
            if !uploads.contains(slot) { flaw = "a file is written that is not open" }
            if pieces.contains(where: \.isEmpty) { flaw = "nothing is written" }
            return isRefused ? .failed(.failure, "") : .done
        case .finish(let slot), .drop(let slot):
            if open.remove(slot) == nil { flaw = "something is closed twice" }
            uploads.remove(slot)
            return isRefused ? .failed(.failure, "") : .done
        }
    }

    mutating func check(_ answer: [UInt8], _ conversation: Conversation) {
        if answer.count > PacketReader.byteCountLimit { flaw = "an answer is longer than a packet may be" }
        if answer.prefix(4).reduce(0, { $0 << 8 | Int($1) }) != answer.count - 4 {
            flaw = "an answer's length is wrong"
        }
        if conversation.handles.count > Conversation.handleLimit { flaw = "too much is open" }
        if uploads.count > Conversation.uploadLimit { flaw = "too much is being taken" }
    }
}

private func sftpSeeds() -> [[UInt8]] {
    func request(_ kind: UInt8, _ fill: (inout PacketWriter) -> Void) -> [UInt8] {
        var packet = PacketWriter(kind, id: 7)
        fill(&packet)
        return packet.finished()
    }
    let begin: [UInt8] = [0, 0, 0, 5, 1, 0, 0, 0, 3]
    let put = request(PacketKind.open) {
        $0.add("/incoming/a")
        $0.add(OpenFlags([.write, .create, .truncate]).rawValue)
        $0.add(UInt32(0))
    }
    let get = request(PacketKind.open) {
        $0.add("/studies/0123456789abcdef/0123456789abcdef/0123456789abcdef.dcm")
        $0.add(OpenFlags.read.rawValue)
        $0.add(UInt32(0))
    }
    func write(_ handle: UInt64, _ offset: UInt64) -> [UInt8] {
        request(PacketKind.write) {
            $0.add(UInt32(8))
            $0.add(handle)
            $0.add(offset)
            $0.add("abc")
        }
    }
    func ofHandle(_ kind: UInt8, _ handle: UInt64) -> [UInt8] {
        request(kind) {
            $0.add(UInt32(8))
            $0.add(handle)
        }
    }
    func ofPath(_ kind: UInt8, _ paths: String...) -> [UInt8] {
        request(kind) { for path in paths { $0.add(path) } }
    }
    let read = request(PacketKind.read) {
        $0.add(UInt32(8))
        $0.add(UInt64(1))
        $0.add(UInt64(0))
        $0.add(UInt32(32768))
    }
    let looks = ofPath(PacketKind.realPath, ".") + ofPath(PacketKind.attributes, "/studies/index.csv")
    return [
        [1, 0] + begin + put + write(1, 0) + write(1, 6) + write(1, 3) + ofHandle(PacketKind.close, 1)
            + ofPath(PacketKind.rename, "/incoming/a", "/incoming/b") + ofPath(PacketKind.openDirectory, "/incoming")
            + ofHandle(PacketKind.readDirectory, 2),
        [2, 0] + begin + get + read + ofHandle(PacketKind.handleAttributes, 1) + ofHandle(PacketKind.close, 1),
        [3, 3] + begin + looks + ofPath(PacketKind.openDirectory, "/studies") + ofHandle(PacketKind.readDirectory, 1)
            + put + ofPath(PacketKind.remove, "/incoming/a") + ofPath(PacketKind.extended, "limits@openssh.com"),
    ]
}
