import Foundation

/// The programs a run needs, found in the usual places or installed from Debian.
public struct Tools: Sendable {
    /// Peer and client programs and the package that carries each.
    static let packages = [
        "storescp": "dcmtk", "dcmqrscp": "dcmtk", "storescu": "dcmtk", "findscu": "dcmtk", "movescu": "dcmtk",
        "getscu": "dcmtk", "dcmcjpls": "dcmtk", "echoscu": "dcmtk", "Orthanc": "orthanc",
        OrthancPeer.webPlugin: "orthanc-dicomweb",
    ]
    /// Debian installs servers where an ordinary user's PATH does not look.
    static let extraFolders = [
        "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/share/orthanc/plugins",
    ]
    static let installBound: Duration = .seconds(600)

    private let paths: [String: String]

    /// Finds every program; installs what is missing when running as root.
    ///
    /// - Throws: `.missing` with the packages to install; `.failed` or `.timedOut` of `apt-get`.
    public init(workingDirectory: String, announce: (String) -> Void) throws(BenchError) {
        var missing = Self.missing()
        if !missing.isEmpty, geteuid() == 0, let apt = Self.find("apt-get") {
            let packages = Self.packages(of: missing)
            announce("installing from Debian: \(packages.joined(separator: " "))")
            for arguments in [["update"], ["install", "-y", "--no-install-recommends"] + packages] {
                try Command(
                    name: "apt-get", executable: apt, arguments: arguments,
                    environment: ["DEBIAN_FRONTEND": "noninteractive"], workingDirectory: workingDirectory,
                    log: workingDirectory + "/apt-get.log"
                ).run(atMost: Self.installBound)
            }
            missing = Self.missing()
        }
        guard missing.isEmpty else { throw .missing(tools: missing, packages: Self.packages(of: missing)) }
        var paths: [String: String] = [:]
        for name in Self.packages.keys { paths[name] = Self.find(name) }
        self.paths = paths
    }

    /// The path of a program of `packages`.
    func path(_ name: String) -> String {
        paths[name] ?? name
    }

    /// Runs `<program> --version` and gives its first line; for a packaged program also Debian's version of it.
    func version(_ name: String, in folder: String) -> String {
        let line = Self.firstLine(of: path(name), "--version", in: folder).replacing(path(name), with: name)
        guard let package = Self.packages[name] else { return line }
        let debian = Self.debianVersion(of: package, in: folder)
        return debian.isEmpty ? line : "\(line) (Debian \(package) \(debian))"
    }

    /// Of an installed package; empty where there is no Debian.
    static func debianVersion(of package: String, in folder: String) -> String {
        find("dpkg-query").map { firstLine(of: $0, "-W", "-f", "${Version}", package, in: folder) } ?? ""
    }

    static func firstLine(of executable: String, _ arguments: String..., in folder: String) -> String {
        let log = folder + "/version.log"
        let command = Command(
            name: "version", executable: executable, arguments: arguments, workingDirectory: folder, log: log)
        guard (try? command.run(atMost: .seconds(20))) != nil,
            let text = try? String(contentsOfFile: log, encoding: .utf8)
        else { return "" }
        return String(text.split(whereSeparator: \.isNewline).first ?? "").trimmingCharacters(in: [" ", "$"])
    }

    private static func missing() -> [String] {
        packages.keys.filter { find($0) == nil }.sorted()
    }

    private static func packages(of tools: [String]) -> [String] {
        Set(tools.compactMap { packages[$0] }).sorted()
    }

    static func find(_ name: String) -> String? {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (folders + extraFolders).map { $0 + "/" + name }.first {
            access($0, name.hasSuffix(".so") ? R_OK : X_OK) == 0
        }
    }
}
