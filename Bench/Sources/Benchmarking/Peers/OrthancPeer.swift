import Foundation

/// Orthanc from Debian, with the configuration it has without a configuration file but for what a test needs.
enum OrthancPeer {
    static let storage = """
        Each file is synced before the answer (SyncStorageArea, its default); the SQLite index is written ahead without \
        a sync before the answer (WAL, synchronous NORMAL). No encryption.
        """

    static func plan(_ context: StartContext, label: String, tuned: Bool, speaksWeb: Bool = false) throws(BenchError)
        -> ServerPlan
    {
        let port = try Ports.free()
        let webPort = try Ports.free()
        let store = context.folder + "/storage"
        var configuration: [String: Any] = [
            "StorageDirectory": store, "IndexDirectory": store, "StorageCompression": false,
            "MaximumStorageSize": 0, "Plugins": [String](), "SyncStorageArea": true, "OverwriteInstances": false,
            "DicomAet": "ORTHANC", "DicomPort": port, "HttpPort": webPort, "RemoteAccessAllowed": false,
            "AuthenticationEnabled": false, "DicomAlwaysAllowEcho": true, "DicomAlwaysAllowStore": true,
            "DicomAlwaysAllowFind": true, "DicomAlwaysAllowGet": true, "DicomAlwaysAllowMove": true,
        ]
        if let destination = context.destination {
            configuration["DicomModalities"] = [
                "destination": [destination.aeTitle, Clients.loopback, destination.port] as [Any]
            ]
        }
        if tuned { configuration["MaximumPduLength"] = 131072 }
        if context.isAtLine {
            configuration["RemoteAccessAllowed"] = true
            configuration["TcpNoDelay"] = true
            configuration["KeepAlive"] = true
        }
        if let port = context.farPort {
            configuration["OrthancPeers"] = [farName: ["http://\(WideLine.farAddress):\(port)/"]]
        }
        if speaksWeb {
            configuration["Plugins"] = [context.tools.path(webPlugin)]
            configuration["TcpNoDelay"] = true
            configuration["KeepAlive"] = true
            configuration["HttpThreadsCount"] = webThreadCount
            configuration["DicomWeb"] = ["Enable": true, "Root": WebDoor.root + "/"] as [String: Any]
        }
        let file = context.folder + "/orthanc.json"
        guard let json = try? JSONSerialization.data(withJSONObject: configuration, options: [.sortedKeys]) else {
            throw .system(call: "JSON", on: "Orthanc's configuration", code: EINVAL)
        }
        try Files.write(json, to: file)
        let command = Command(
            name: "Orthanc", executable: context.tools.path("Orthanc"), arguments: [file],
            environment: tuned ? Clients.Tuning.tuned.environment : [:], workingDirectory: context.folder,
            log: context.log(tuned ? "orthanc-tuned" : "orthanc"))
        let options =
            "default configuration, \(speaksWeb ? "DICOMweb plugin with its defaults (full metadata)" : "no plugins"), "
            + "find, get and move allowed"
            + (tuned ? "; TCP_NODELAY=1, MaximumPduLength 131072" : "; Nagle's algorithm and PDU of 16384 as installed")
            + (speaksWeb ? "; keep-alive, HttpThreadsCount \(webThreadCount)" : "")
        let identity = Identity(
            name: label,
            version: context.versions.orthanc + (speaksWeb ? ", DICOMweb " + context.versions.webPlugin : ""),
            options: options, storage: storage)
        return ServerPlan(
            identity: identity, command: command, aeTitle: "ORTHANC", port: port, folder: context.folder,
            webPort: webPort)
    }

    /// What the one at the far end of a line is called here.
    static let farName = "far"
    static let webPlugin = "libOrthancDicomWeb.so"
    /// One for each connection that any row opens, and some more: each of its threads serves one connection.
    private static let webThreadCount = 520
}
