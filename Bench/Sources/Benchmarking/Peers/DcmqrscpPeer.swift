import Foundation

/// DCMTK's small archive: an index in one flat file for each storage area.
enum DcmqrscpPeer {
    static let storage = "One file for each object, an index in a flat file; no sync, no encryption."

    static func plan(_ context: StartContext, label: String) throws(BenchError) -> ServerPlan {
        let port = try Ports.free()
        let objects = context.folder + "/objects"
        try Files.makeFolder(objects)
        let hosts = context.destination.map { "destination = (\($0.aeTitle), localhost, \($0.port))\n" } ?? ""
        let configuration = """
            NetworkTCPPort = \(port)
            MaxPDUSize = \(Clients.largestPDU)
            MaxAssociations = 16
            HostTable BEGIN
            \(hosts)HostTable END
            VendorTable BEGIN
            VendorTable END
            AETable BEGIN
            \(aeTitle) \(objects) RW (200, 4096mb) ANY
            AETable END

            """
        let file = context.folder + "/dcmqrscp.cfg"
        try Files.write(Data(configuration.utf8), to: file)
        let command = Command(
            name: "dcmqrscp", executable: context.tools.path("dcmqrscp"), arguments: ["-dhl", "-c", file],
            environment: Clients.Tuning.tuned.environment, workingDirectory: context.folder,
            log: context.log("dcmqrscp"))
        let identity = Identity(
            name: label, version: context.versions.dcmqrscp,
            options: "TCP_NODELAY=1 dcmqrscp -dhl, MaxPDUSize \(Clients.largestPDU), one process for each association",
            storage: storage)
        return ServerPlan(
            identity: identity, command: command, aeTitle: aeTitle, port: port, folder: context.folder,
            objectFolder: objects)
    }

    private static let aeTitle = "BENCHQR"
}
