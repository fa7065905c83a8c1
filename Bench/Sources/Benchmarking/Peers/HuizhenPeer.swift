import Foundation

/// The service itself: nothing is tuned, durable and encrypted as always.
enum HuizhenPeer {
    static let storage = """
        AES-256-GCM at rest; bytes and the record that finds them are synced before the answer. \
        Blank pack space is written ahead while idle, at its default (setting storage.prewrite, 256 MiB); \
        the rest before each measurement gives it time for that.
        """

    static func plan(_ context: StartContext) throws(BenchError) -> ServerPlan {
        var port = try Ports.free()
        let webPort = try Ports.free()
        var arguments = [
            "serve", "--data", context.folder + "/data", "--port", String(port),
            "--http-port", String(try Ports.free()), "--web-port", String(webPort), "--set", "web.tls.port=0", "--set",
            "transfer.port=0",
            "--open-to-unknown-peers",
        ]
        if let tls = context.tls {
            port = try Ports.free()
            arguments += ["--set", "dimse.tls.port=\(port)", "--set", "dimse.tls.certificate=" + tls.certificate]
            arguments += ["--set", "dimse.tls.key=" + tls.key, "--set", "dimse.tls.authorities=" + tls.certificate]
        }
        if context.hasTransfers, !context.settings.contains(where: { $0.hasPrefix(transferPort) }) {
            arguments += ["--set", transferPort + "0"]
        }
        let shown = context.settings.filter { !$0.hasPrefix(transferPort) && !$0.hasPrefix(webTLSPort) }
        for setting in context.settings { arguments += ["--set", setting] }
        let command = Command(
            name: "huizhen", executable: context.huizhen, arguments: arguments, workingDirectory: context.folder,
            log: context.log("huizhen"))
        let identity = Identity(
            name: Contestant.huizhen.label, version: context.versions.huizhen,
            options: "serve --open-to-unknown-peers; everything else at its default"
                + (shown.isEmpty ? "" : ", but " + shown.joined(separator: ", ")),
            storage: storage)
        return ServerPlan(
            identity: identity, command: command, aeTitle: "HUIZHEN", port: port, folder: context.folder,
            tls: context.tls, webPort: webPort)
    }

    private static let transferPort = "transfer.port="
    static let webTLSPort = "web.tls.port="

    /// A token for the web door of the running service.
    ///
    /// - Throws: `.failed` if it gives none; `.timedOut`.
    static func webToken(of server: Server, executable: String, log: String) throws(BenchError) -> String {
        try Command(
            name: "huizhen web token", executable: executable,
            arguments: ["web", "token", "--data", server.folder + "/data"], workingDirectory: server.folder, log: log
        ).run(atMost: .seconds(30))
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Makes the destination of C-MOVE known to the running service.
    ///
    /// - Throws: `.failed` if it refuses; `.timedOut`.
    static func add(
        _ destination: MoveDestination, to server: Server, executable: String, log: String
    ) throws(BenchError) {
        try Command(
            name: "huizhen peer add", executable: executable,
            arguments: [
                "peer", "add", destination.aeTitle, "--address", Clients.loopback, "--port", String(destination.port),
                "--data", server.folder + "/data",
            ],
            workingDirectory: server.folder, log: log
        ).run(atMost: .seconds(30))
    }
}
