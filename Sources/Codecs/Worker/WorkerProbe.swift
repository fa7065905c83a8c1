import CCodecs
import Glibc

/// What a captured codec might try; tests ask workers of debug builds to try it.
enum WorkerProbe: UInt32, CaseIterable, Sendable {
    case openFile = 1
    case connect
    case startProcess
    case signalParent
    case makeMemoryExecutable
    case receiveDescriptor
    case truncateMemory
    /// Fails as misuse if there is one byte of environment.
    case readEnvironment
    /// Fails as out of memory where the bound is, as misuse if there is none.
    case takeMemory
    case crash
    case hang
    case answerAnotherSerial
    case answerTooMuch
    case answerTooShort
    case answerUnknownStatus

    /// In release builds a request for a probe ends the process.
    static func run(_ request: HZWorkerRequest, _ reply: inout HZWorkerReply) {
        #if DEBUG
            guard let probe = WorkerProbe(rawValue: request.probe) else { _exit(2) }
            probe.run(request, &reply)
        #else
            _exit(2)
        #endif
    }

    #if DEBUG
        private func run(_ request: HZWorkerRequest, _ reply: inout HZWorkerReply) {
            reply.byteCount = request.outputByteCount
            switch self {
            case .openFile: _ = unsafe open("/etc/hostname", O_RDONLY)
            case .connect: _ = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
            case .startProcess:
                var process: pid_t = 0
                _ = unsafe posix_spawn(&process, "/bin/true", nil, nil, [nil], [nil])
            case .signalParent: kill(getppid(), 0)
            case .makeMemoryExecutable:
                _ = unsafe mmap(nil, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            case .receiveDescriptor:
                var message = unsafe msghdr()
                _ = unsafe recvmsg(CInt(HZ_WORKER_SOCKET), &message, 0)
            case .truncateMemory: ftruncate(CInt(HZ_WORKER_MEMORY), 0)
            case .readEnvironment: if Self.hasEnvironment { reply.status = HZCodecStatus.misuse.rawValue }
            case .takeMemory:
                reply.status = (Self.isBounded ? HZCodecStatus.outOfMemory : HZCodecStatus.misuse).rawValue
            case .crash:
                if let nowhere = unsafe UnsafeMutableRawPointer(bitPattern: 64) { unsafe memset(nowhere, 0, 1) }
            case .hang: while true { sched_yield() }
            case .answerAnotherSerial: reply.serial &+= 1
            case .answerTooMuch: reply.byteCount = .max
            case .answerTooShort: reply.byteCount = 0
            case .answerUnknownStatus: reply.status = 999
            }
        }

        private static var hasEnvironment: Bool { unsafe environ.pointee != nil }

        /// Whether mapping memory again and again comes to an end within a tebibyte.
        private static var isBounded: Bool {
            (0..<1024).contains { _ in
                unsafe mmap(nil, 1 << 30, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED
            }
        }
    #endif
}
