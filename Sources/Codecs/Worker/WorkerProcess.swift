import CCodecs
import Glibc

/// One worker process, as its parent sees it. Used by one thread; ended with the value.
final class WorkerProcess {
    private static let pageByteCount = 4096

    private let options: CodecPoolOptions
    private let memory: SharedMemory
    private let socket: CInt
    private let process: pid_t
    private var serial: UInt64 = 0
    private let started = ContinuousClock.now
    private var hasEnded = false

    init(_ options: CodecPoolOptions) throws(CodecError) {
        self.options = options
        memory = try SharedMemory(byteCount: options.initialMemoryByteCount, reach: options.memoryReach)
        var ends: (parent: CInt, child: CInt) = (-1, -1)
        let failure = unsafe hz_worker_socket_pair(&ends.parent, &ends.child)
        guard failure == 0 else { throw .workerFailed(.notStarted(errno: failure)) }
        defer { close(ends.child) }
        do throws(CodecError) {
            process = try Self.spawn(options, socket: ends.child, memory: memory.descriptor)
        } catch {
            close(ends.parent)
            throw error
        }
        socket = ends.parent
    }

    deinit { if !hasEnded { _ = end() } }

    private static func spawn(_ options: CodecPoolOptions, socket: CInt, memory: CInt) throws(CodecError) -> pid_t {
        let arguments =
            ["huizhen"] + options.arguments + [
                "\(options.memoryReach)", "\(options.workingByteCount)", "\(options.processorSeconds)",
            ]
        var copies = unsafe arguments.map { unsafe UnsafePointer(strdup($0)) }
        unsafe copies.append(nil)
        defer { unsafe copies.forEach { unsafe free(UnsafeMutablePointer(mutating: $0)) } }
        var process: pid_t = -1
        let failure = unsafe hz_worker_spawn(options.executable, copies, socket, memory, &process)
        guard failure == 0 else { throw .workerFailed(.notStarted(errno: failure)) }
        return process
    }

    /// Kills the process if it lives and waits for its end.
    ///
    /// - Returns: how it ended; a kill by ourselves counts as its own if it was dead already.
    @discardableResult
    func end() -> WorkerFault {
        hasEnded = true
        close(socket)
        // The process is not waited for yet: its number is still its own.
        kill(process, SIGKILL)
        var status: CInt = 0
        while unsafe waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .exited(code: status >> 8 & 0xFF) : .killed(signal: signal)
    }

    /// Whether it has worked as long as it should; its processor time is bounded.
    var isSpent: Bool { ContinuousClock.now - started > .seconds(options.processorSeconds / 2) }

    /// Whether it waits for work. One that ended since its last, as the kernel may have it when memory is short, does not; nor does
    /// one that speaks unasked.
    var isWaiting: Bool {
        var state = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&state, 1, 0) == 0
    }

    /// Has one frame converted, or shown.
    ///
    /// - Throws: `.workerFailed` when the process must be replaced; `.tooLarge`; what the codec says.
    func run(_ frame: [UInt8], _ task: FrameTask, probe: UInt32 = 0) throws(CodecError) -> [UInt8] {
        let room = task.outputByteCountLimit
        let tables = task.tables
        guard frame.count <= task.inputByteCountLimit else { throw .malformed(coding: task.names.from) }
        let input = tables.count + frame.count
        let outputOffset = (input + Self.pageByteCount - 1) / Self.pageByteCount * Self.pageByteCount
        try memory.grow(to: outputOffset + room)
        unsafe memory.bytes(0..<tables.count).copyBytes(from: tables)
        unsafe memory.bytes(tables.count..<input).copyBytes(from: frame)
        serial += 1
        var request = HZWorkerRequest()
        request.serial = serial
        request.inputByteCount = UInt64(input)
        request.outputOffset = UInt64(outputOffset)
        request.outputByteCount = UInt64(room)
        request.probe = probe
        task.describe(in: &request)
        let deadline = ContinuousClock.now + options.frameTimeout
        let sent = unsafe send(socket, &request, MemoryLayout<HZWorkerRequest>.size, CInt(MSG_NOSIGNAL))
        guard sent == MemoryLayout<HZWorkerRequest>.size else { throw .workerFailed(end()) }
        let reply = try receive(until: deadline)
        // The reply is a stranger's word; an enumeration of C takes any number for one of its cases.
        guard reply.serial == serial, reply.status <= HZCodecStatus.misuse.rawValue,
            let status = HZCodecStatus(rawValue: reply.status)
        else { throw garbage() }
        if let error = CodecError(status, task) { throw error }
        guard reply.byteCount <= UInt64(room), !task.isExact || reply.byteCount == UInt64(room) else {
            throw garbage()
        }
        let output = Int(reply.byteCount)
        let result = unsafe [UInt8](unsafeUninitializedCapacity: output) { buffer, count in
            unsafe UnsafeMutableRawBufferPointer(buffer).copyMemory(
                from: UnsafeRawBufferPointer(memory.bytes(outputOffset..<outputOffset + output)))
            count = output
        }
        memory.relax(used: outputOffset + room)
        return result
    }

    private func garbage() -> CodecError {
        end()
        return .workerFailed(.garbage)
    }

    private func receive(until deadline: ContinuousClock.Instant) throws(CodecError) -> HZWorkerReply {
        while true {
            let left = deadline - ContinuousClock.now
            let (seconds, attoseconds) = left.components
            let milliseconds = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000 + 1)
            var ready = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let count = unsafe poll(&ready, 1, CInt(clamping: left > .zero ? milliseconds : 0))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                end()
                throw .workerFailed(.timedOut)
            }
            var reply = HZWorkerReply()
            let size = MemoryLayout<HZWorkerReply>.size
            // MSG_TRUNC: the length the message had, not what fitted.
            let received = unsafe recv(socket, &reply, size, CInt(MSG_TRUNC))
            if received < 0 && errno == EINTR { continue }
            guard received != 0, received > 0 || errno != ECONNRESET else { throw .workerFailed(end()) }
            guard received == size else { throw garbage() }
            return reply
        }
    }
}
