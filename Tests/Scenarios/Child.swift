import Foundation

/// A program that runs beside the tests.
///
/// Not Foundation's `Process`: that one crashes now and then when many threads start and end programs.
final class Child {
    let processID: pid_t
    private(set) var exitCode: Int32?

    /// Starts a program; its input is empty.
    ///
    /// - Parameters:
    ///   - output: file that standard output is appended to; nil: nowhere.
    ///   - error: the same for standard error.
    init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], output: String? = nil,
        error: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, error ?? "/dev/null", flags, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner's own mask and handlers are not the program's.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var argv = ([path] + arguments).map { strdup($0) } + [nil]
        var envp = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in argv + envp { free(text) } }
        var identifier = pid_t()
        let failure = posix_spawn(&identifier, path, &actions, &attributes, &argv, &envp)
        guard failure == 0 else { throw ToolFailure(text: "\(path) does not start: error \(failure)") }
        processID = identifier
    }

    /// Whether it still runs. Called from one thread at a time.
    var isRunning: Bool {
        collect(WNOHANG)
        return exitCode == nil
    }

    /// Waits for the end.
    ///
    /// - Returns: the exit code, or 128 and the number of the signal that ended it; nil after the time has passed.
    @discardableResult
    func waitForEnd(seconds: TimeInterval? = nil) -> Int32? {
        guard let seconds else {
            while exitCode == nil { collect(0) }
            return exitCode
        }
        let end = Date(timeIntervalSinceNow: seconds)
        var pause: UInt32 = 1000
        while isRunning, Date() < end {
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
        return exitCode
    }

    /// kill -9, and waits.
    func end() {
        guard isRunning else { return }
        kill(processID, SIGKILL)
        waitForEnd()
    }

    private func collect(_ options: Int32) {
        guard exitCode == nil else { return }
        var status: Int32 = 0
        let found = waitpid(processID, &status, options)
        if found == processID {
            exitCode = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        } else if found < 0, errno != EINTR {
            exitCode = -1
        }
    }

    deinit { end() }
}
