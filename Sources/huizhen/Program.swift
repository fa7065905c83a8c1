import ArgumentParser
import Control
import Dispatch
import Foundation
import Glibc

/// Where every process of this program begins.
@main
enum Program {
    static func main() {
        leaveNoCoreDump()
        let arguments = CommandLine.arguments.dropFirst()
        // A codec worker has one thread, which locks itself in; the asynchronous commands bring several.
        if arguments.first == CodecWorkerCommand.configuration.commandName {
            CodecWorkerCommand.main(Array(arguments.dropFirst()))
        }
        // Started for every client of the file channel.
        if arguments.first == SFTPServerCommand.configuration.commandName {
            SFTPServerCommand.main(Array(arguments.dropFirst()))
            exit(0)
        }
        Task { @MainActor in
            do {
                var command = try await Huizhen.asyncParseAsRoot()
                if var asynchronous = command as? any AsyncParsableCommand {
                    try await asynchronous.run()
                } else {
                    try command.run()
                }
                end(0)
            } catch let error as ControlError {
                // The service went away, or what it says cannot be read.
                try? FileHandle.standardError.write(contentsOf: Data("Error: \(error)\n".utf8))
                if case .refused = error { end(1) } else { end(2) }
            } catch {
                let text = Huizhen.fullMessage(for: error)
                let code = Huizhen.exitCode(for: error)
                if !text.isEmpty, code.isSuccess { print(text) }
                if !text.isEmpty, !code.isSuccess {
                    try? FileHandle.standardError.write(contentsOf: Data((text + "\n").utf8))
                }
                end(code.rawValue)
            }
        }
        dispatchMain()
    }

    /// Ends the process with what was printed, and without what libraries do at a regular end: they destroy what threads that are
    /// still about to end use, and the process crashes where its work was done.
    private static func end(_ code: Int32) -> Never {
        fflush(nil)
        _exit(code)
    }

    /// Keys and patients' values are in memory, and nothing of it is to reach a disk or a crash reporter by a crash; children
    /// inherit that.
    private static func leaveNoCoreDump() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        // A reporter that the kernel feeds through a pipe is not held by the limit: no kind of memory is for it. core(5).
        let filter = open("/proc/self/coredump_filter", O_WRONLY | O_CLOEXEC)
        guard filter >= 0 else { return }
        _ = write(filter, "0", 1)
        close(filter)
    }
}
