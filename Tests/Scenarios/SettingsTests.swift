import Foundation
import Glibc
import Testing

/// Where settings come from, and which are refused.
@Suite(.scenario, .timeLimit(.minutes(30))) struct SettingsTests {
    private let folder = TemporaryFolder.make()

    private func file(_ name: String, _ text: String) throws -> String {
        try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
        return folder + "/" + name
    }

    private func ask(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Tool.Result {
        try Tool.run(
            HuizhenProcess.binary, ["settings", "--json"] + arguments,
            environment: ["HOME": folder].merging(environment) { $1 })
    }

    /// The effective values by key.
    private func values(_ arguments: [String] = [], _ environment: [String: String] = [:]) throws -> [String: String] {
        struct Entry: Decodable {
            var key: String
            var value: String
        }
        let entries = try JSONDecoder().decode([Entry].self, from: Data(ask(arguments, environment).checked().utf8))
        return Dictionary(uniqueKeysWithValues: entries.map { ($0.key, $0.value) })
    }

    @Test func hasDefaultsForEverything() throws {
        let values = try values()
        #expect(values["data"] == folder + "/.local/share/huizhen")
        #expect(values["dimse.port"] == "11112")
        #expect(values["dimse.addresses"] == "127.0.0.1,::1")
        #expect(values["ae-title"] == "HUIZHEN")
        #expect(values["dimse.open-to-unknown-peers"] == "false")
    }

    @Test func takesProfilesThatThereAreAndNoOthers() throws {
        let key = "web.deidentify-profiles"
        #expect(try values()[key] == "consultation,research,teaching")
        for value in ["", "basic", "research, basic"] {
            #expect(try values(["--set", "\(key)=\(value)"])[key] == value)
        }
        for value in ["everything", "research,everything", "Research", "research;teaching"] {
            let refused = try ask(["--set", "\(key)=\(value)"])
            #expect(refused.code != 0 && refused.error.contains("any of consultation"), "\(value): \(refused.error)")
        }
    }

    /// Orthanc listens where health and metrics would.
    @Test(arguments: ["dimse.port", "dimse.tls.port", "http.port", "web.port", "web.tls.port", "transfer.port"])
    func namesThePortThatIsTaken(_ taken: String) throws {
        let held = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(held) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isHeld = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(held, $0, size) == 0 && Glibc.listen(held, 1) == 0 && getsockname(held, $0, &size) == 0
            }
        }
        try #require(isHeld)
        let port = UInt16(bigEndian: address.sin_port)
        var arguments = ["serve", "--data", folder + "/data"]
        for key in ["dimse.port", "dimse.tls.port", "http.port", "web.port", "web.tls.port", "transfer.port"] {
            arguments += ["--set", "\(key)=\(key == taken ? Int(port) : 0)"]
        }
        if taken == "dimse.tls.port" {
            arguments += Certificates.settings("server", [taken: "\(port)"])
        }
        let result = try Tool.run(HuizhenProcess.binary, arguments)
        #expect(result.code != 0)
        let last = result.error.split(separator: "\n").last ?? ""
        #expect(last.contains("port \(port) (\(taken)): "), "\(last)")
        #expect(last.contains("Address already in use"), "\(last)")
        #expect(!result.error.contains(" error huizhen"), "\(result.error)")
    }

    @Test func readsFilesWithNestedAndDottedKeys() throws {
        let nested = try file("nested", #"{"dimse": {"port": 104, "tls": {"minimum": "1.3"}}, "ae-title": "ONE"}"#)
        let dotted = try file("dotted", #"{"dimse.port": 104, "dimse.tls.minimum": "1.3", "ae-title": "ONE"}"#)
        let mixed = try file("mixed", #"{"dimse": {"port": 104, "tls.minimum": "1.3"}, "ae-title": "ONE"}"#)
        for path in [nested, dotted, mixed] {
            let values = try values(["--config", path])
            #expect(values["dimse.port"] == "104", "\(path)")
            #expect(values["dimse.tls.minimum"] == "1.3", "\(path)")
            #expect(values["ae-title"] == "ONE", "\(path)")
            #expect(values["dimse.idle"] == "600", "\(path)")
        }
        let kinds = try file(
            "kinds", #"{"dimse": {"addresses": ["10.0.0.1", "::"], "open-to-unknown-peers": true, "idle": 60}}"#)
        let read = try values(["--config", kinds])
        #expect(read["dimse.addresses"] == "10.0.0.1,::")
        #expect(read["dimse.open-to-unknown-peers"] == "true")
        #expect(read["dimse.idle"] == "60")
    }

    @Test func takesTheCommandLineBeforeTheEnvironmentBeforeTheFile() throws {
        let first = try file("first", #"{"dimse": {"port": 1001, "idle": 61, "artim": 21}}"#)
        let second = try file("second", #"{"dimse": {"port": 1002}}"#)
        #expect(try values([], ["HUIZHEN_CONFIG": first])["dimse.port"] == "1001")
        // The option names another file.
        let named = try values(["--config", second], ["HUIZHEN_CONFIG": first])
        #expect(named["dimse.port"] == "1002" && named["dimse.idle"] == "600")
        let environment = ["HUIZHEN_CONFIG": first, "HUIZHEN_DIMSE_PORT": "1003", "HUIZHEN_DIMSE_IDLE": "63"]
        let over = try values([], environment)
        #expect(over["dimse.port"] == "1003" && over["dimse.idle"] == "63" && over["dimse.artim"] == "21")
        let all = try values(["--set", "dimse.port=1004"], environment)
        #expect(all["dimse.port"] == "1004" && all["dimse.idle"] == "63" && all["dimse.artim"] == "21")
        // Every key has a variable, dashes and dots alike.
        #expect(
            try values([], ["HUIZHEN_DIMSE_OPEN_TO_UNKNOWN_PEERS": "true"])["dimse.open-to-unknown-peers"] == "true")
        #expect(try values(["--data", "/one"], ["HUIZHEN_DATA": "/two"])["data"] == "/one")
    }

    @Test func refusesKeysThatNoSettingIsCalled() throws {
        for text in [#"{"dimse": {"prot": 104}}"#, #"{"dimse.prot": 104}"#, #"{"prot": 104}"#] {
            let refused = try ask(["--config", try file("unknown", text)])
            #expect(refused.code == 1, "\(text)")
            #expect(refused.error.contains("prot"), "\(refused.error)")
        }
        #expect(try ask(["--set", "dimse.prot=104"]).code == 64)
        #expect(try ask(["--set", "dimse.port"]).code == 64)
    }

    @Test func refusesValuesOutOfRangeWhereverTheyComeFrom() throws {
        for (key, value, range) in [
            ("dimse.port", "65536", "0...65535"), ("dimse.port", "-1", "0...65535"), ("dimse.artim", "0", "1...600"),
            ("dimse.artim", "601", "1...600"), ("dimse.idle", "soon", "1...86400"),
            ("dimse.open-to-unknown-peers", "perhaps", "true or false"), ("dimse.tls.minimum", "1.1", "1.2, 1.3"),
        ] {
            let variable = "HUIZHEN_" + key.uppercased().map { $0 == "." || $0 == "-" ? "_" : String($0) }.joined()
            let path = try file("range", "{\"\(key)\": \"\(value)\"}")
            for result in [
                try ask(["--set", "\(key)=\(value)"]), try ask([], [variable: value]), try ask(["--config", path]),
            ] {
                #expect(result.code == 1, "\(key)=\(value)")
                #expect(result.error.contains(key) && result.error.contains(range), "\(result.error)")
            }
        }
        for value in ["0", "65535"] { #expect(try values(["--set", "dimse.port=\(value)"])["dimse.port"] == value) }
    }

    @Test func saysWhichFileItCannotRead() throws {
        for path in [folder + "/none", try file("list", "[1]"), try file("broken", "{")] {
            let refused = try ask(["--config", path])
            #expect(refused.code == 1 && refused.error.contains(path), "\(refused.error)")
        }
    }

    @Test func listensOnThisMachineAloneUnlessToldOtherwise() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        #expect(try huizhen.status()["dimseAddresses"] as? [String] == ["127.0.0.1", "::1"])
        let sockets = try Tool.run("/bin/cat", ["/proc/\(huizhen.processID)/net/tcp"]).checked()
        // 0A is LISTEN; 0100007F is 127.0.0.1 as the kernel writes it.
        let ports = [huizhen.port, huizhen.httpPort, huizhen.webPort, huizhen.webTLSPort]
        for port in ports {
            let place = String(port, radix: 16, uppercase: true)
            let name = ":" + String(repeating: "0", count: 4 - place.count) + place
            let own = sockets.split(separator: "\n").map { $0.split(whereSeparator: \.isWhitespace) }.filter {
                $0.count > 3 && $0[1].hasSuffix(name) && $0[3] == "0A"
            }
            #expect(!own.isEmpty && own.allSatisfy { $0[1].hasPrefix("0100007F") }, "port \(port)")
        }
        #expect(!huizhen.logText().contains("TLS 1.2"))
        let open = try HuizhenProcess(arguments: ["--set", "dimse.addresses=0.0.0.0"])
        #expect(try open.status()["dimseAddresses"] as? [String] == ["0.0.0.0"])
    }

    // MARK: Who is the local operator

    /// Connects to the control socket, and says whether it is let in: who is not is disconnected, who is is listened to.
    private static let caller = """
        import socket, sys
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(3)
        connection.connect(sys.argv[1])
        try:
            print("closed" if connection.recv(1) == b"" else "answered")
        except TimeoutError:
            print("open")
        except ConnectionError:
            print("closed")
        """

    @Test(.enabled(if: getuid() == 0, "needs the right to become another user (root)"))
    func knowsTheOperatorByTheKernelsWordAndNotByTheModeOfItsSocket() throws {
        let huizhen = try HuizhenProcess()
        let socket = huizhen.directory + "/control.socket"
        try FileManager.default.setAttributes([.posixPermissions: 0o711], ofItemAtPath: huizhen.directory)
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: socket)
        let program = ["/usr/bin/python3", "-c", Self.caller, socket]
        let stranger = try Tool.run(
            "/usr/bin/setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] + program)
        #expect(stranger.output == "closed\n", "\(stranger.error)")
        let own = try Tool.run(program[0], Array(program.dropFirst()))
        #expect(own.output == "open\n", "\(own.error)")
        #expect(try huizhen.tool(["status"]).code == 0)
    }

    /// Without the privilege of raising what it may open at most, which the tests may run with.
    @Test(arguments: [("600", true), ("4096", false)])
    func saysWhenItMayOpenFewerFilesThanItsConnectionsTake(_ limit: String, _ isSaid: Bool) throws {
        let huizhen = try HuizhenProcess(
            arguments: ["--open-to-unknown-peers", "--set", "web.connections=100", "--set", "dimse.connections=100"],
            wrapper: (getuid() == 0 ? ["/usr/bin/setpriv", "--bounding-set=-sys_resource"] : [])
                + ["/bin/sh", "-c", "ulimit -n \(limit); exec \"$@\"", "sh"])
        #expect(huizhen.logText().contains("raise its limit") == isSaid)
        let limits = try String(contentsOfFile: "/proc/\(huizhen.processID)/limits", encoding: .utf8)
        let open = limits.split(separator: "\n").first { $0.hasPrefix("Max open files") }
        #expect(open?.split(separator: " ").dropFirst(3).first.map(String.init) == limit)
    }
}
