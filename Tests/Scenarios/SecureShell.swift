import Foundation
import Glibc

/// The system's own sshd on a loopback port, with keys made for it; ended with the value. It lets in who runs the tests.
final class SecureShell {
    private let folder = TemporaryFolder.make()
    private let port = freePort()
    private let sshd: Child
    private let user = NSUserName()

    /// - Parameters:
    ///   - socket: of the service.
    ///   - subjects: names that sshd gives by the key; for none the account counts.
    ///   - isForced: whether sshd asks a program for the keys and runs nothing but the service's, as an operator is told to have it.
    init(socket: String, subjects: [String] = [], isForced: Bool = false) throws {
        if getuid() == 0 {
            try? FileManager.default.createDirectory(atPath: "/run/sshd", withIntermediateDirectories: true)
        }
        let server = "\(HuizhenProcess.binary) sftp-server --socket \(socket)"
        var lines: [String] = []
        for (index, name) in (["host", "own"] + subjects).enumerated() {
            _ = try Tool.run("/usr/bin/ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", "\(folder)/\(name)"])
                .checked()
            let key = try String(contentsOfFile: "\(folder)/\(name).pub", encoding: .utf8)
            switch index {
            case 0: continue
            case 1: lines.append(key)
            // Both ways in which a key may say who comes.
            case _ where isForced || index.isMultiple(of: 2):
                lines.append("restrict,environment=\"HUIZHEN_SUBJECT=\(name)\" \(key)")
            default: lines.append("restrict,command=\"\(server) --subject \(name)\" \(key)")
            }
        }
        try lines.joined().write(toFile: "\(folder)/keys", atomically: true, encoding: .utf8)
        let configuration = """
            Port \(port)
            ListenAddress 127.0.0.1
            HostKey \(folder)/host
            \(isForced ? Self.askingForKeys(folder) : "AuthorizedKeysFile \(folder)/keys")
            AuthenticationMethods publickey
            PidFile none
            UsePAM no
            StrictModes no
            DisableForwarding yes
            PermitTTY no
            PermitUserRC no
            PermitUserEnvironment HUIZHEN_SUBJECT
            Subsystem sftp \(isForced ? "/usr/lib/openssh/sftp-server\nForceCommand " + server : server)
            """
        try configuration.write(toFile: "\(folder)/sshd", atomically: true, encoding: .utf8)
        sshd = try Child("/usr/sbin/sshd", ["-D", "-e", "-f", "\(folder)/sshd"], error: "\(folder)/log")
        for _ in 0..<500 where !log.contains("Server listening") && sshd.isRunning { usleep(20_000) }
        guard log.contains("Server listening") else { throw ToolFailure(text: "sshd does not start:\n\(log)") }
    }

    deinit { sshd.end() }

    /// A program that others may write, or that lies where they may, sshd would not run.
    private static func askingForKeys(_ folder: String) -> String {
        """
        AuthorizedKeysFile none
        AuthorizedKeysCommand /bin/cat \(folder)/keys
        AuthorizedKeysCommandUser \(NSUserName())
        """
    }

    /// Runs OpenSSH's own client for a shell or a command.
    func ssh(_ command: [String], key: String) throws -> Tool.Result {
        try Tool.run("/usr/bin/ssh", options(key) + ["-p", "\(port)", "\(user)@127.0.0.1"] + command, timeout: 30)
    }

    private var log: String { (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? "" }

    private func options(_ key: String) -> [String] {
        [
            "-i", "\(folder)/\(key)", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o",
            "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
        ]
    }

    private func sftpArguments(_ key: String, _ commands: [String], _ more: [String]) throws -> [String] {
        let path = TemporaryFolder.make() + "/batch"
        try (commands.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return more + options(key) + ["-P", "\(port)", "-b", path, "\(user)@127.0.0.1"]
    }

    /// Runs OpenSSH's own client to its end.
    func sftp(_ commands: [String], key: String = "own", _ more: [String] = []) throws -> Tool.Result {
        try Tool.run("/usr/bin/sftp", try sftpArguments(key, commands, more))
    }

    /// Starts OpenSSH's own client.
    func startSFTP(_ commands: [String], key: String = "own", _ more: [String] = []) throws -> Child {
        try Child("/usr/bin/sftp", try sftpArguments(key, commands, more))
    }

    func lftp(_ commands: [String], key: String = "own") throws -> Tool.Result {
        let program = (["ssh", "-a", "-x"] + options(key)).joined(separator: " ")
        let begin = [
            "set net:max-retries 1", "set net:timeout 20", "set cmd:fail-exit yes",
            "set sftp:connect-program \"\(program)\"", "open -u \(user),x -p \(port) sftp://127.0.0.1",
        ]
        return try Tool.run(
            "/usr/bin/lftp", ["-c", (begin + commands).joined(separator: "; ")],
            environment: ["HOME": folder])
    }
}
