import ArgumentParser
import Control
import FileChannel
import Foundation

/// What sshd starts for a client of the file channel: passes bytes on between the client and the service, and holds nothing.
struct SFTPServerCommand: ParsableCommand {
    static let defaultSocket = "/run/huizhen/sftp.socket"

    static let configuration = CommandConfiguration(
        commandName: "sftp-server", abstract: "Serve files for sshd: what its Subsystem line names.",
        discussion: """
            Speaks SFTP on standard input and output. Who the client is, the service knows from the account that sshd \
            signed in; what is said with --subject or in HUIZHEN_SUBJECT is believed of one account only, \
            sftp.key-account.
            """)

    private static let pieceByteCount = 256 << 10

    @Option(help: "The service's socket: its setting sftp.socket.")
    var socket = defaultSocket

    @Option(help: "Who comes, by the key: for authorized_keys of the account sftp.key-account.")
    var subject: String?

    func run() throws {
        signal(SIGPIPE, SIG_IGN)
        let variables = ProcessInfo.processInfo.environment
        let named = variables["HUIZHEN_SUBJECT"]
        if let subject, let named, subject != named { throw fail("two subjects are named, and they are not the same") }
        let address = variables["SSH_CONNECTION"]?.split(separator: " ").first.map(String.init) ?? ""
        let greeting = FileGreeting(subject: subject ?? named ?? "", address: address)
        guard let hello = greeting.encoded else { throw fail("the subject's name is too long") }
        let descriptor: CInt
        do throws(ControlError) { descriptor = try LocalListener.connect(to: socket) } catch {
            throw fail("the file channel is closed: no service answers")
        }
        guard Self.write(hello, to: descriptor),
            let head = Self.read(FileGreeting.answerHeadByteCount, from: descriptor),
            let count = FileGreeting.refusalByteCount(head)
        else { throw fail("the service ended the connection") }
        if head[0] != 0 {
            let words = Self.read(count, from: descriptor).map { String(decoding: $0, as: UTF8.self) }
            throw fail(words ?? "refused")
        }
        let thread = Thread {
            Self.pass(from: STDIN_FILENO, to: descriptor)
            shutdown(descriptor, Int32(SHUT_WR))
        }
        thread.start()
        Self.pass(from: descriptor, to: STDOUT_FILENO)
    }

    private func fail(_ text: String) -> any Error { CommandFailure.end(1, text) }

    /// Passes on until one side ends.
    private static func pass(from source: CInt, to target: CInt) {
        var buffer = [UInt8](repeating: 0, count: pieceByteCount)
        while true {
            let count = Glibc.read(source, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0, write(buffer[..<count], to: target) else { return }
        }
    }

    private static func write(_ bytes: some Collection<UInt8>, to target: CInt) -> Bool {
        var rest = ArraySlice(bytes)
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(target, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    private static func read(_ count: Int, from source: CInt) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var part = [UInt8](repeating: 0, count: count - bytes.count)
            let got = Glibc.read(source, &part, part.count)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else { return nil }
            bytes += part[..<got]
        }
        return bytes
    }
}
