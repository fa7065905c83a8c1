import Access
import Archive
import SFTP

/// One client: reads packets, has done what they ask, and answers. Runs on its own thread.
final class FileSession {
    /// Bytes read at a time.
    private static let readByteCount = 256 << 10
    /// Bytes of answers that go out together.
    private static let answerByteCount = 64 << 10

    private let door: FileDoor
    private let connection: FileConnection
    private let caller: FileCaller
    private let tree: StudyTree
    private let ledger: StoreLedger
    private let arrival: Arrival
    private var uploads: [UInt64: FileUpload] = [:]
    private var downloads: [UInt64: FileDownload] = [:]
    private var listings: [UInt64: ArraySlice<FileEntry>] = [:]

    init(_ door: FileDoor, _ connection: FileConnection, _ caller: FileCaller) {
        self.door = door
        self.connection = connection
        self.caller = caller
        tree = StudyTree(door, caller)
        ledger = StoreLedger(door.access, permit: caller.permit, door: FileDoor.name)
        arrival = door.archive.arrival()
    }

    /// Serves until the client ends, or cannot be understood.
    func run() {
        defer {
            // What is not whole is nowhere.
            for upload in uploads.values { upload.abandon() }
            door.metrics.notStored.add(UInt64(uploads.count))
            ledger.end()
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.readByteCount, alignment: 16)
        defer { buffer.deallocate() }
        var reader = PacketReader()
        var conversation = Conversation()
        var answers: [UInt8] = []
        do throws(SFTPError) {
            while true {
                while let packet = try reader.next() {
                    let answer: [UInt8]
                    switch try conversation.take(packet) {
                    case .answer(let packet): answer = packet
                    case .perform(let operation): answer = conversation.conclude(perform(operation))
                    }
                    answers += answer
                    if answers.count >= Self.answerByteCount, !send(&answers) { return }
                }
                guard answers.isEmpty || send(&answers) else { return }
                let count = connection.receive(into: buffer)
                guard count > 0 else { return }
                reader.append(buffer[..<count])
            }
        } catch {
            _ = send(&answers)
            door.logger.notice("a file channel ended early", metadata: ["reason": "\(error)"])
        }
    }

    private func send(_ answers: inout [UInt8]) -> Bool {
        defer { answers.removeAll(keepingCapacity: true) }
        return connection.send(answers)
    }

    private func perform(_ operation: FileOperation) -> FileOutcome {
        do { return try outcome(operation) } catch {
            let failure = FileFailure(error)
            if failure.status == .failure {
                door.logger.notice("a file was refused", metadata: ["reason": "\(error)"])
            }
            return .failed(failure.status, failure.text)
        }
    }

    private func outcome(_ operation: FileOperation) throws -> FileOutcome {
        switch operation {
        case .look(let place): return .attributes(try tree.attributes(of: place))
        case .list(let place, let slot): listings[slot] = try tree.entries(of: place)[...]
        case .nextEntries(let slot):
            let entries = listings[slot] ?? []
            listings[slot] = entries.dropFirst(Conversation.entryLimit)
            return .entries(Array(entries.prefix(Conversation.entryLimit)))
        case .open(let place, let slot):
            let download = try tree.open(place)
            downloads[slot] = download
            return .attributes(.file(download.byteCount))
        case .read(let slot, let offset, let byteCount):
            guard let download = downloads[slot] else { throw ArchiveError.notFound }
            let data = try download.read(offset: offset, byteCount: byteCount)
            door.metrics.bytesSent.add(UInt64(data.count))
            return .data(data)
        case .begin(let slot):
            uploads[slot] = try FileUpload(door, caller, arrival: arrival, ledger: ledger)
        case .append(let slot, let pieces):
            guard let upload = uploads[slot] else { throw ArchiveError.closed }
            for piece in pieces { try upload.append(piece) }
            door.metrics.bytesReceived.add(UInt64(pieces.reduce(0) { $0 + $1.count }))
        case .finish(let slot): try finish(uploads.removeValue(forKey: slot))
        case .drop(let slot):
            if let upload = uploads.removeValue(forKey: slot) {
                upload.abandon()
                door.metrics.notStored.add()
            }
            downloads[slot] = nil
            listings[slot] = nil
        }
        return .done
    }

    private func finish(_ upload: FileUpload?) throws {
        do {
            guard let upload else { throw ArchiveError.closed }
            try upload.finish()
            door.metrics.stored.add()
        } catch {
            door.metrics.notStored.add()
            throw error
        }
    }
}
