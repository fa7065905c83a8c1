/// DCMTK's storage receiver: no index and no sync, the least a receiver can do. Also the destination of C-MOVE.
enum StorescpPeer {
    static let storage = "One file for each object, no index, no sync, no encryption."

    static func plan(_ context: StartContext, label: String) throws(BenchError) -> ServerPlan {
        let port = try Ports.free()
        let objects = context.folder + "/objects"
        try Files.makeFolder(objects)
        let processes = context.concurrent ? ["--fork"] : []
        let network = ["-pdu", Clients.largestPDU, "-dhl"]
        let tls = context.tls?.toolkitArguments ?? []
        let command = Command(
            name: "storescp", executable: context.tools.path("storescp"),
            arguments: processes + network + tls + ["-aet", aeTitle, "-od", objects, String(port)],
            environment: Clients.Tuning.tuned.environment, workingDirectory: context.folder,
            log: context.log("storescp"))
        let identity = Identity(
            name: label, version: context.versions.storescp,
            options: "TCP_NODELAY=1 storescp " + network.joined(separator: " ")
                + (context.tls == nil ? "" : " " + TLSPair.displayedToolkitArguments)
                + " (--fork where several associations come at once)",
            storage: storage)
        return ServerPlan(
            identity: identity, command: command, aeTitle: aeTitle, port: port, folder: context.folder,
            objectFolder: objects, tls: context.tls)
    }

    private static let aeTitle = "BENCHDEST"
}
