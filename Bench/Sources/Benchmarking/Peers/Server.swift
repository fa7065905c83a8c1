import Foundation
import Glibc
import Synchronization

/// What the report says about a contestant: nobody should have to guess how it was set up.
public struct Identity: Codable, Equatable, Sendable {
    public let name: String
    public let version: String
    /// How it was started, without the machine's paths.
    public let options: String
    /// What it has done with the bytes, and with the record that finds them, when it answers "stored".
    public let storage: String
}

/// How a server is started.
struct ServerPlan: Sendable {
    var identity: Identity
    var command: Command
    var aeTitle: String
    var port: Int
    var folder: String
    /// Where it keeps one file for each object, if it does.
    var objectFolder: String?
    /// What its port asks for; nil for an unencrypted one.
    var tls: TLSPair?
    /// Of DICOMweb; nil without it.
    var webPort: Int?
}

/// A running server, ready to answer.
final class Server: Sendable {
    static let readyBound: Duration = .seconds(60)

    let identity: Identity
    let aeTitle: String
    let port: Int
    let folder: String
    let objectFolder: String?
    let tls: TLSPair?
    let webPort: Int?
    private let plan: ServerPlan
    private let clients: Clients
    private let child: Mutex<Child>

    var pid: pid_t { child.withLock { $0.pid } }
    var isRunning: Bool { child.withLock { $0.isRunning } }

    /// Starts the server and waits until it answers C-ECHO.
    ///
    /// - Throws: `.notReady` after the bound or when it ends; `.system`.
    init(_ plan: ServerPlan, clients: Clients) throws(BenchError) {
        identity = plan.identity
        aeTitle = plan.aeTitle
        port = plan.port
        folder = plan.folder
        objectFolder = plan.objectFolder
        tls = plan.tls
        webPort = plan.webPort
        self.plan = plan
        self.clients = clients
        child = Mutex(try Self.startedChild(plan, clients: clients))
    }

    /// Ends the server and starts it again over what it stored.
    ///
    /// - Throws: as the initializer.
    func restart() throws(BenchError) {
        child.withLock { $0.stop() }
        let started = try Self.startedChild(plan, clients: clients)
        child.withLock { $0 = started }
    }

    private static func startedChild(_ plan: ServerPlan, clients: Clients) throws(BenchError) -> Child {
        let child = try Child.start(plan.command)
        let clock = ContinuousClock()
        let end = clock.now + readyBound
        while (try? clients.echo(aeTitle: plan.aeTitle, port: plan.port, tls: plan.tls, atMost: .seconds(5))) == nil {
            guard child.isRunning, clock.now < end else {
                child.stop()
                throw .notReady(server: plan.identity.name, lastWords: plan.command.lastWords)
            }
            Thread.sleep(forTimeInterval: 0.1)
        }
        return child
    }

    /// Ends the server and removes what it stored.
    func stop() {
        child.withLock { $0.stop() }
        try? FileManager.default.removeItem(atPath: folder)
    }
}

/// TCP ports nobody uses at the moment.
enum Ports {
    /// Asks the kernel for a free port of the loopback address.
    ///
    /// - Throws: `.system`.
    static func free() throws(BenchError) -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .system(call: "socket", on: "loopback", code: errno) }
        defer { close(socket) }
        var address = SocketAddress.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard bound else { throw .system(call: "bind", on: "loopback", code: errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}

enum SocketAddress {
    /// - Parameter text: IPv4, dotted.
    static func of(_ text: String, port: Int) -> sockaddr_in {
        var address = loopback(port: port)
        inet_pton(AF_INET, text, &address.sin_addr)
        return address
    }

    static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr = in_addr(s_addr: INADDR_LOOPBACK.bigEndian)
        return address
    }
}
