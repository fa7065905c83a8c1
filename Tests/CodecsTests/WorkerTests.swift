import DICOM
import Foundation
import Synchronization
import Testing

@testable import Codecs

/// Worker processes: what they cannot do, and what a failing one costs.
@Suite(.timeLimit(.minutes(30))) struct WorkerTests {
    @Test(arguments: RoundTripTests.lossless)
    func convertsAsThisProcessDoes(_ syntax: TransferSyntax) throws {
        let pool = Workers.pool()
        let format = try Frames.format(65, 33, bits: 12, isSigned: true)
        let pixels = Frames.pixels(format)
        let stream = try pool.convert(pixels, .encoding(format, to: syntax))
        #expect(try stream == FrameCodec.convert(pixels, .encoding(format, to: syntax)))
        #expect(try pool.convert(stream, .decoding(syntax, format)) == pixels)
        // What a codec refuses in a worker is refused in the same words.
        #expect(throws: CodecError.self) { try pool.convert(Array(stream.prefix(40)), .decoding(syntax, format)) }
        #expect(try pool.works())
    }

    @Test(arguments: [
        WorkerProbe.openFile, .connect, .startProcess, .signalParent, .makeMemoryExecutable, .receiveDescriptor,
        .truncateMemory,
    ])
    func endsAWorkerThatReachesOutside(_ probe: WorkerProbe) throws {
        let pool = Workers.pool()
        #expect(throws: CodecError.workerFailed(.killed(signal: SIGSYS))) { try pool.probe(probe) }
        #expect(try pool.works())
    }

    @Test func leavesAWorkerNoEnvironment() throws {
        setenv("HUIZHEN_TEST_SECRET", "secret", 1)
        defer { unsetenv("HUIZHEN_TEST_SECRET") }
        #expect(throws: Never.self) { try Workers.pool().probe(.readEnvironment) }
    }

    @Test func boundsAWorkersMemory() throws {
        #expect(throws: CodecError.outOfMemory) { try Workers.pool().probe(.takeMemory) }
    }

    @Test func replacesAWorkerThatCrashes() throws {
        let pool = Workers.pool()
        #expect(throws: CodecError.workerFailed(.killed(signal: SIGSYS))) { try pool.probe(.signalParent) }
        #expect(throws: CodecError.workerFailed(.killed(signal: SIGSEGV))) { try pool.probe(.crash) }
        #expect(try pool.works())
    }

    @Test func replacesAWorkerThatIsKilledMidway() throws {
        var options = Workers.options()
        // By this it is known among the other tests' workers.
        options.processorSeconds = 3571
        // It is to be killed before its time, however long that is looked for.
        options.frameTimeout = .seconds(3600)
        let pool = CodecPool(options)
        #expect(try pool.works())
        let worker = try #require(Self.worker(lastArgument: "3571"))
        let before = try #require(Self.processorTicks(of: worker))
        let format = try Frames.format(4, 4)
        let pending = try pool.start(
            PendingFrame(
                [UInt8](repeating: 0, count: 16), .convert(.decoding(.explicitVRLittleEndian, format)),
                probe: WorkerProbe.hang.rawValue))
        // One that is killed before it has the frame is replaced by another, which then hangs unkilled.
        while try #require(Self.processorTicks(of: worker)) < before + 5 { usleep(1000) }
        kill(worker, SIGKILL)
        #expect(throws: CodecError.workerFailed(.killed(signal: SIGKILL))) { try pending.wait() }
        #expect(try pool.works())
    }

    @Test func replacesAWorkerThatDiedWhileItWaited() throws {
        var options = Workers.options()
        options.processorSeconds = 3573
        let pool = CodecPool(options)
        #expect(try pool.works())
        let worker = try #require(Self.worker(lastArgument: "3573"))
        kill(worker, SIGKILL)
        // Its parent has not waited for it: it is a zombie once it is gone, and nothing of it open.
        while try #require(Self.state(of: worker)) != "Z" { usleep(1000) }
        #expect(try pool.works())
        #expect(try #require(Self.worker(lastArgument: "3573")) != worker)
    }

    @Test func beginsWithNothingThatNobodyWaitsFor() throws {
        var options = Workers.options()
        options.frameTimeout = .milliseconds(500)
        let pool = CodecPool(options)
        let format = try Frames.format(4, 4)
        func begin(_ probe: WorkerProbe) throws -> PendingFrame {
            try pool.start(
                PendingFrame(
                    [UInt8](repeating: 0, count: 16), .convert(.decoding(.explicitVRLittleEndian, format)),
                    probe: probe.rawValue))
        }
        let before = try begin(.hang)
        let given = try begin(.crash)
        given.giveUp()
        #expect(throws: CodecError.workerFailed(.timedOut)) { try before.wait() }
        #expect(throws: CodecError.closed) { try given.wait() }
        // What is done holds nothing of what it was made of.
        #expect(before.work == nil)
    }

    @Test func replacesAWorkerThatTakesTooLong() throws {
        var options = Workers.options()
        options.frameTimeout = .milliseconds(500)
        let pool = CodecPool(options)
        #expect(throws: CodecError.workerFailed(.timedOut)) { try pool.probe(.hang) }
        var patient = Workers.options()
        patient.frameTimeout = .seconds(60)
        #expect(try CodecPool(patient).works())
    }

    @Test(arguments: [
        WorkerProbe.answerAnotherSerial, .answerTooMuch, .answerTooShort, .answerUnknownStatus,
    ])
    func believesNoAnswerThatMakesNoSense(_ probe: WorkerProbe) throws {
        let pool = Workers.pool()
        #expect(throws: CodecError.workerFailed(.garbage)) { try pool.probe(probe) }
        #expect(try pool.works())
    }

    @Test func saysWhenWorkersCannotBeStarted() throws {
        var options = Workers.options()
        options.executable = "/nonexistent/huizhen"
        let pool = CodecPool(options)
        #expect(throws: CodecError.workerFailed(.notStarted(errno: ENOENT))) { try pool.works() }
        options.executable = "/bin/false"
        #expect(throws: CodecError.workerFailed(.exited(code: 1))) { try CodecPool(options).works() }
    }

    @Test func deliversTheFramesOfAnImageInTheirOrder() throws {
        let pool = Workers.pool(2)
        let format = try Frames.format(31, 17, bits: 12)
        let frames = (0..<50).map { Frames.pixels(format, seed: UInt64($0)) }
        var read: [Int] = []
        var delivered: [Int] = []
        let decoding = try FrameConversion.decoding(.jpegLosslessSV1, format)
        try pool.convertInOrder(frameCount: 50, decoding, ahead: 3) { index in
            read.append(index)
            #expect(read.count - delivered.count <= 3)
            return try FrameCodec.convert(frames[index], .encoding(format, to: .jpegLosslessSV1))
        } deliver: { index, frame in
            delivered.append(index)
            #expect(frame == frames[index])
        }
        #expect(read == Array(0..<50) && delivered == Array(0..<50))
    }

    @Test func stopsAtTheFirstFrameThatFails() throws {
        let pool = Workers.pool()
        let format = try Frames.format(8, 8)
        let good = try FrameCodec.convert(Frames.pixels(format), .encoding(format, to: .jpegLSLossless))
        var delivered = 0
        #expect(throws: CodecError.malformed(coding: "JPEG-LS")) {
            try pool.convertInOrder(frameCount: 9, try .decoding(.jpegLSLossless, format), ahead: 2) { index in
                index == 4 ? [1, 2, 3] : good
            } deliver: { _, _ in
                delivered += 1
            }
        }
        #expect(delivered == 4)
        #expect(try pool.works())
    }

    @Test func servesManyThreadsAtOnce() throws {
        let pool = Workers.pool(2)
        let format = try Frames.format(40, 40, bits: 16)
        let failures = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: 200) { index in
            let pixels = Frames.pixels(format, seed: UInt64(index))
            guard let encoding = try? FrameConversion.encoding(format, to: .rleLossless),
                let decoding = try? FrameConversion.decoding(.rleLossless, format),
                let stream = try? pool.convert(pixels, encoding), (try? pool.convert(stream, decoding)) == pixels
            else { return failures.withLock { $0 += 1 } }
        }
        #expect(failures.withLock { $0 } == 0)
    }

    @Test func endsItsWorkersWhenIdleAndStartsThemAgain() throws {
        var options = Workers.options()
        options.idleTimeout = .milliseconds(50)
        let pool = CodecPool(options)
        for _ in 0..<3 {
            #expect(try pool.works())
            usleep(120_000)
        }
    }

    @Test func failsWhatIsAskedOfAClosedPool() throws {
        let pool = Workers.pool()
        #expect(try pool.works())
        pool.close()
        pool.close()
        #expect(throws: CodecError.closed) { try pool.works() }
    }

    @Test func takesFramesUpToItsLimitAndNoneBeyond() throws {
        var options = Workers.options()
        options.frameByteCountLimit = 64 * 64
        let pool = CodecPool(options)
        let fits = try Frames.format(64, 64)
        #expect(try pool.convert(Frames.pixels(fits), .encoding(fits, to: .rleLossless)).count > 64)
        let beyond = try Frames.format(64, 65)
        #expect(throws: CodecError.tooLarge(byteCount: 64 * 65, limit: 64 * 64)) {
            try pool.convert(Frames.pixels(beyond), .encoding(beyond, to: .rleLossless))
        }
        let long = [UInt8](repeating: 0, count: 64 * 64 * 2 + (64 << 10))
        #expect(throws: CodecError.malformed(coding: "RLE")) {
            try pool.convert(long + [0], .decoding(.rleLossless, fits))
        }
        #expect(throws: CodecError.differs(coding: "RLE")) { try pool.convert(long, .decoding(.rleLossless, fits)) }
    }

    /// The letter of a process's state, proc(5).
    private static func state(of process: pid_t) -> Character? {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        return text.split(separator: ")").last?.first { $0 != " " }
    }

    /// What a process has used of the processors, in ticks of the clock, proc(5).
    private static func processorTicks(of process: pid_t) -> Int? {
        let text = (try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)) ?? ""
        let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
        guard fields.count > 12, let user = Int(fields[11]), let system = Int(fields[12]) else { return nil }
        return user + system
    }

    /// The worker of this process that was started so.
    private static func worker(lastArgument: String) -> pid_t? {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.first { process in
            let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
            return line.starts(with: Data("huizhen\0codec-worker\0".utf8))
                && line.suffix(lastArgument.utf8.count + 2) == Data("\0\(lastArgument)\0".utf8)
        }
    }
}
