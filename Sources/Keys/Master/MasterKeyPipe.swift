import COpenSSL
import Glibc

/// A master key that comes out of a descriptor or a program: 32 bytes, or 64 hexadecimal digits and white space.
enum MasterKeyPipe {
    /// How long a command may take, in milliseconds.
    static let timeLimit: Int64 = 30_000

    static func read(descriptor: Int32) throws(KeyError) -> SymmetricKey {
        defer { close(descriptor) }
        return try key(from: descriptor, source: "descriptor \(descriptor)", deadline: nil)
    }

    /// Runs a program without a shell, its input and its error output empty; ends it when it takes too long.
    static func run(_ words: [String], timeLimit: Int64 = timeLimit) throws(KeyError) -> SymmetricKey {
        var ends: [Int32] = [0, 0]
        guard huizhen_pipe(&ends) == 0 else { throw .io(operation: "pipe", errno: errno) }
        let (output, input) = (ends[0], ends[1])
        defer { close(output) }
        let process: pid_t
        do throws(KeyError) { process = try spawn(words, output: input) } catch {
            close(input)
            throw error
        }
        close(input)
        let source = "command \(words[0])"
        let result: Result<SymmetricKey, KeyError>
        do throws(KeyError) {
            result = .success(try key(from: output, source: source, deadline: millisecondsNow() + timeLimit))
        } catch { result = .failure(error) }
        if case .failure = result { kill(process, SIGKILL) }
        guard wait(for: process, until: millisecondsNow() + timeLimit) == 0 else {
            if case .failure(let error) = result { throw error }
            throw .masterRefused(source: source, why: "it ended with an error")
        }
        return try result.get()
    }

    private static func spawn(_ words: [String], output: Int32) throws(KeyError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var arguments = words.map { strdup($0) } + [nil]
        defer { for text in arguments { free(text) } }
        var process = pid_t()
        let failure = posix_spawn(&process, words[0], &actions, &attributes, &arguments, huizhen_environment())
        guard failure == 0 else {
            throw .masterRefused(source: "command \(words[0])", why: "it does not start (errno \(failure))")
        }
        return process
    }

    /// The exit code, or -1 for one that had to be ended.
    private static func wait(for process: pid_t, until deadline: Int64) -> Int32 {
        var status: Int32 = 0
        while true {
            let found = waitpid(process, &status, WNOHANG)
            if found == process { return status & 0x7F == 0 ? status >> 8 & 0xFF : -1 }
            if found < 0, errno != EINTR { return -1 }
            if millisecondsNow() > deadline {
                kill(process, SIGKILL)
                waitpid(process, &status, 0)
                return -1
            }
            usleep(2000)
        }
    }

    private static func key(
        from descriptor: Int32, source: String, deadline: Int64?
    ) throws(KeyError) -> SymmetricKey {
        // One byte more than may come, so that more is noticed.
        let room = MasterKeySource.byteCountLimit + 1
        return try withUnsafeTemporaryAllocation(byteCount: room, alignment: 16) { (bytes) throws(KeyError) in
            defer { SymmetricKey.wipe(bytes) }
            var filled = 0
            while filled < room, let base = bytes.baseAddress {
                try waitForBytes(descriptor, source, deadline)
                let count = Glibc.read(descriptor, base + filled, room - filled)
                if count == 0 { break }
                if count < 0 {
                    if errno == EINTR { continue }
                    throw .masterRefused(source: source, why: "it cannot be read (errno \(errno))")
                }
                filled += count
            }
            guard filled < room else {
                throw .masterRefused(source: source, why: "it gives more than \(MasterKeySource.byteCountLimit) bytes")
            }
            let given = UnsafeRawBufferPointer(rebasing: bytes[..<filled])
            guard let key = SymmetricKey(copying: given) ?? SymmetricKey(hexadecimal: given) else {
                throw .masterRefused(
                    source: source, why: "it gives \(filled) bytes instead of 32, or of 64 hexadecimal digits")
            }
            return key
        }
    }

    private static func waitForBytes(_ descriptor: Int32, _ source: String, _ deadline: Int64?) throws(KeyError) {
        guard let deadline else { return }
        var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while true {
            let left = deadline - millisecondsNow()
            guard left > 0 else { throw .masterRefused(source: source, why: "it takes too long") }
            if poll(&waiting, 1, Int32(left)) > 0 { return }
        }
    }
}

extension SymmetricKey {
    /// Reads 64 hexadecimal digits; white space before and after does not count.
    init?(hexadecimal bytes: UnsafeRawBufferPointer) {
        let space: Set<UInt8> = [0x20, 0x09, 0x0A, 0x0D]
        guard let first = bytes.firstIndex(where: { !space.contains($0) }),
            let last = bytes.lastIndex(where: { !space.contains($0) }), last - first == 2 * Self.byteCount - 1
        else { return nil }
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        let made: SymmetricKey? = withUnsafeTemporaryAllocation(byteCount: Self.byteCount, alignment: 16) { key in
            defer { Self.wipe(key) }
            for index in 0..<Self.byteCount {
                guard let high = digit(bytes[first + 2 * index]), let low = digit(bytes[first + 2 * index + 1]) else {
                    return nil
                }
                key[index] = high << 4 | low
            }
            return SymmetricKey(copying: UnsafeRawBufferPointer(key))
        }
        guard let made else { return nil }
        self = made
    }
}
