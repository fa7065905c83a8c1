import Archive
import Catalog
import DICOM
import Foundation
import Synchronization

/// What a de-identified copy came to.
public struct ReleasedCopy: Sendable, Codable, Equatable {
    /// Objects that were kept.
    public var objects = 0
    /// How many were not, by the reason.
    public var quarantined: [String: Int] = [:]
    /// The copy's Study Instance UID; nil where nothing was kept.
    public var studyInstanceUID: String?
}

extension Release {
    /// Objects that are worked on at a time: more than there are processors, for each waits for the disk.
    private static let workerCount = 8

    /// Keeps a de-identified copy of objects beside them. Copying again changes nothing: the same becomes the same.
    ///
    /// - Parameters:
    ///   - sender: whose the copy is.
    ///   - progress: told now and then, on the caller's thread, how many objects are done.
    /// - Throws: what kept an object from being read or stored; those before it are kept.
    public func copy(
        _ holdings: [Holding], as sender: Sender, progress: (Int) -> Void
    ) throws -> ReleasedCopy {
        let run = CopyRun(self, holdings, sender)
        let threads = DispatchGroup()
        for _ in 0..<min(Self.workerCount, holdings.count) {
            threads.enter()
            let thread = Thread {
                run.work()
                threads.leave()
            }
            thread.name = "release"
            thread.stackSize = 1 << 20
            thread.start()
        }
        while threads.wait(timeout: .now() + .milliseconds(200)) == .timedOut { progress(run.done) }
        return try run.result()
    }
}

/// What the threads of one copy share.
private final class CopyRun: Sendable {
    private struct State {
        var next = 0
        var done = 0
        var copy = ReleasedCopy()
        var failure: (any Error)?
    }

    private let release: Release
    private let holdings: [Holding]
    private let sender: Sender
    private let arrival: Arrival
    private let state = Mutex(State())

    init(_ release: Release, _ holdings: [Holding], _ sender: Sender) {
        self.release = release
        self.holdings = holdings
        self.sender = sender
        arrival = release.archive.arrival()
    }

    var done: Int { state.withLock { $0.done } }

    func result() throws -> ReleasedCopy {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.copy
        }
    }

    func work() {
        let buffer = PieceBuffer()
        while let holding = next() {
            do {
                let study = try keep(holding, buffer)
                note { copy in
                    copy.objects += 1
                    copy.studyInstanceUID = study
                }
            } catch ReleaseError.quarantined(let reason) {
                note { $0.quarantined["\(reason)", default: 0] += 1 }
            } catch {
                state.withLock { if $0.failure == nil { $0.failure = error } }
            }
        }
    }

    private func next() -> Holding? {
        state.withLock { state in
            guard state.failure == nil, state.next < holdings.count else { return nil }
            state.next += 1
            return holdings[state.next - 1]
        }
    }

    private func note(_ change: (inout ReleasedCopy) -> Void) {
        state.withLock { state in
            change(&state.copy)
            state.done += 1
        }
    }

    /// - Returns: the copy's study.
    private func keep(_ holding: Holding, _ buffer: PieceBuffer) throws -> String {
        let released = try release.released(try release.archive.open(holding), through: buffer)
        let incoming = try release.archive.receive(
            from: sender, by: arrival, defaultIssuer: "", transferSyntax: released.header.transferSyntax,
            expectedClass: released.header.sopClassUID, expectedUID: released.header.sopInstanceUID)
        try released.forEachPiece { try incoming.append($0) }
        _ = try incoming.finish()
        return released.header.studyInstanceUID
    }
}
