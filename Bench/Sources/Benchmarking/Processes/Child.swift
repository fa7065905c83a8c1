import CLinux
import Foundation
import Synchronization

/// One process started by the benchmark, in a group of its own, waited for with a bound and ended by its id.
public final class Child: Sendable {
    public let pid: pid_t
    let command: Command
    private let state = Mutex(State.running)

    private enum State {
        case running
        case overdue
        case ended(status: Int32)
    }

    private init(pid: pid_t, command: Command) {
        self.pid = pid
        self.command = command
    }

    /// Starts the program; returns as soon as the kernel has made the process.
    ///
    /// - Parameter pipes: descriptors for its standard input and output; without them it reads nothing and writes to its log.
    /// - Throws: `.system` if the program cannot be started.
    public static func start(
        _ command: Command, pipes: (input: Int32, output: Int32)? = nil
    ) throws(BenchError) -> Child {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The benchmark ignores SIGINT while it cleans up; its children must not inherit that.
        var all = sigset_t()
        var none = sigset_t()
        sigfillset(&all)
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 2, command.log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        if let pipes {
            posix_spawn_file_actions_adddup2(&actions, pipes.input, 0)
            posix_spawn_file_actions_adddup2(&actions, pipes.output, 1)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, 2, 1)
        }
        posix_spawn_file_actions_addchdir_np(&actions, command.workingDirectory)

        let launched = command.launched
        var arguments = launched.map { strdup($0) }
        var environment = command.environmentStrings.map { strdup($0) }
        arguments.append(nil)
        environment.append(nil)
        defer { (arguments + environment).forEach { free($0) } }

        var pid: pid_t = 0
        let code = posix_spawn(&pid, launched[0], &actions, &attributes, arguments, environment)
        guard code == 0 else { throw .system(call: "posix_spawn", on: command.name, code: code) }
        Children.add(pid)
        return Child(pid: pid, command: command)
    }

    /// Waits until the process has ended.
    ///
    /// Blocks the calling thread; the process is killed at the bound.
    /// - Throws: `.timedOut` at the bound, `.failed` for any status but zero.
    public func wait(atMost bound: Duration) throws(BenchError) {
        DispatchQueue.global().asyncAfter(deadline: .now() + bound.inSeconds) { [self] in killIfOverdue() }
        let (status, overdue) = reap()
        if overdue { throw .timedOut(process: command.name, seconds: Int(bound.components.seconds)) }
        if status != 0 { throw .failed(process: command.name, status: status, lastWords: command.lastWords) }
    }

    /// True while the process has not ended.
    public var isRunning: Bool {
        let ended = state.withLock { if case .ended = $0 { true } else { false } }
        guard !ended else { return false }
        var information = siginfo_t()
        let result = waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT | WNOHANG)
        return result == 0 && information.si_signo == 0
    }

    /// Asks the process to end, kills it after the bound, and whatever it forked with it.
    public func stop(within bound: Duration = .seconds(20)) {
        guard signal(SIGTERM) else { return }
        DispatchQueue.global().asyncAfter(deadline: .now() + bound.inSeconds) { [self] in killIfOverdue() }
        _ = reap()
    }

    private func reap() -> (status: Int32, overdue: Bool) {
        var information = siginfo_t()
        // Looks without reaping, so that the id cannot be given to a stranger before the state says "ended".
        while waitid(P_PID, id_t(pid), &information, WEXITED | WNOWAIT) == -1, errno == EINTR {}
        return state.withLock { state in
            if case .ended(let status) = state { return (status, false) }
            let overdue = if case .overdue = state { true } else { false }
            // Forked servings of a server that has ended are in its group and end with it.
            kill(-pid, SIGKILL)
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) == -1, errno == EINTR {}
            Children.remove(pid)
            let status = raw & 0x7f == 0 ? (raw >> 8) & 0xff : 128 + (raw & 0x7f)
            state = .ended(status: status)
            return (status, overdue)
        }
    }

    private func signal(_ number: Int32) -> Bool {
        state.withLock { state in
            if case .ended = state { return false }
            kill(pid, number)
            return true
        }
    }

    private func killIfOverdue() {
        state.withLock { state in
            if case .ended = state { return }
            state = .overdue
            kill(-pid, SIGKILL)
        }
    }
}

/// The ids of all running children, for the one case in which nobody waits for them: the benchmark is interrupted.
public enum Children {
    private static let pids = Mutex(Set<pid_t>())

    static func add(_ pid: pid_t) {
        pids.withLock { _ = $0.insert(pid) }
    }

    static func remove(_ pid: pid_t) {
        pids.withLock { _ = $0.remove(pid) }
    }

    /// Kills every process the benchmark started and still knows.
    public static func killAll() {
        pids.withLock { $0.forEach { kill(-$0, SIGKILL) } }
    }
}

extension Duration {
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}

extension Command {
    /// Runs to the end and says how long it took, from before the start to after the end.
    ///
    /// - Throws: as `Child.wait`.
    @discardableResult
    func run(atMost bound: Duration) throws(BenchError) -> Double {
        try [self].runTogether(atMost: bound)
    }
}

extension [Command] {
    /// Runs all at once and says how long it took until the last had ended.
    ///
    /// - Throws: the first failure, after all have ended.
    @discardableResult
    func runTogether(atMost bound: Duration) throws(BenchError) -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        var failure: BenchError?
        var children: [Child] = []
        for command in self {
            do throws(BenchError) { children.append(try Child.start(command)) } catch { failure = failure ?? error }
        }
        for child in children {
            do throws(BenchError) { try child.wait(atMost: bound) } catch { failure = failure ?? error }
        }
        let elapsed = clock.now - start
        if let failure { throw failure }
        return elapsed.inSeconds
    }
}
