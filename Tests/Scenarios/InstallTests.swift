import Foundation
import Testing

/// `make install`, as far as it makes files.
@Suite(.scenario, .timeLimit(.minutes(30))) struct InstallTests {
    private static let analyzer = "/usr/bin/systemd-analyze"
    private static let hasAnalyzer = FileManager.default.isExecutableFile(atPath: analyzer)

    private func install(into root: String) throws {
        _ = try Tool.run(
            Python.root + "/Tests/Scripts/install", ["/usr/local"],
            environment: ["DESTDIR": root, "HUIZHEN_BINARY": HuizhenProcess.binary]
        ).checked()
    }

    private static let unit = "/etc/systemd/system/huizhen.service"

    @Test func writesAHardenedUnitWithAUserOfItsOwn() throws {
        let root = TemporaryFolder.make()
        try install(into: root)
        let lines = try String(contentsOfFile: root + Self.unit, encoding: .utf8).split(separator: "\n")
        for line in [
            "User=huizhen", "Group=huizhen", "ExecStart=/usr/local/bin/huizhen serve --config /etc/huizhen.json",
            "StateDirectoryMode=0700", "UMask=0077", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes",
            "PrivateTmp=yes", "PrivateDevices=yes", "MemoryDenyWriteExecute=yes", "LimitCORE=0",
            "CapabilityBoundingSet=CAP_NET_BIND_SERVICE", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX",
            "SystemCallFilter=@system-service", "ExecReload=/bin/kill -HUP $MAINPID",
        ] {
            #expect(lines.contains(Substring(line)), "\(line)")
        }
        #expect(FileManager.default.isExecutableFile(atPath: root + "/usr/local/bin/huizhen"))
        // What it writes is a configuration that the installed binary reads; the next installation leaves it alone.
        let configuration = root + "/etc/huizhen.json"
        let read = try Tool.run(
            root + "/usr/local/bin/huizhen", ["settings", "--json", "--config", configuration],
            environment: ["HUIZHEN_CONFIG": ""]
        ).checked()
        #expect(read.contains("/var/lib/huizhen"))
        try #"{"ae-title": "OURS"}"#.write(toFile: configuration, atomically: true, encoding: .utf8)
        try install(into: root)
        #expect(try String(contentsOfFile: configuration, encoding: .utf8).contains("OURS"))
    }

    @Test(.enabled(if: hasAnalyzer, "needs systemd-analyze")) func writesAUnitThatSystemdFindsGood() throws {
        let root = TemporaryFolder.make()
        try install(into: root)
        // systemd looks for the program where the unit says.
        let folder = TemporaryFolder.make()
        let text = try String(contentsOfFile: root + Self.unit, encoding: .utf8)
            .replacingOccurrences(of: "ExecStart=/usr", with: "ExecStart=\(root)/usr")
        try text.write(toFile: folder + "/huizhen.service", atomically: true, encoding: .utf8)
        let verified = try Tool.run(Self.analyzer, ["verify", folder + "/huizhen.service"])
        #expect(verified.code == 0 && !verified.error.contains("huizhen.service"), "\(verified.error)")
        // From 0, nothing exposed, to 10; in tenths.
        let exposure = try Tool.run(
            Self.analyzer, ["security", "--offline=true", "--threshold=20", folder + "/huizhen.service"])
        #expect(exposure.code == 0, "\(exposure.output.suffix(400))")
    }
}
