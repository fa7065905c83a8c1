import Foundation
import Testing

/// A name service that does not answer.
@Suite(.scenario, .timeLimit(.minutes(30))) struct NameServiceTests {
    /// Of this machine's loopback interface, and nobody else's.
    private static let address = "127.11.22.33"

    /// A socket on port 53 that answers nothing; nil without the right to it.
    private static func silentServer() -> Int32? {
        let silent = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = in_port_t(53).bigEndian
        inet_pton(AF_INET, address, &name.sin_addr)
        let bound = withUnsafePointer(to: name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(silent, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        if bound == 0 { return silent }
        close(silent)
        return nil
    }

    private static let canServe: Bool = {
        guard let silent = silentServer() else { return false }
        close(silent)
        return (try? Tool.run("/usr/bin/unshare", ["-m", "true"]).code) == 0
    }()

    @Test(.enabled(if: canServe, "needs port 53 and a mount namespace of its own"))
    func waitsForNoNameLongerThanForItsPeer() throws {
        let silent = try #require(Self.silentServer())
        defer { close(silent) }
        let folder = TemporaryFolder.make()
        try "nameserver \(Self.address)\n".write(toFile: folder + "/resolv.conf", atomically: true, encoding: .utf8)
        // The resolver itself would go on for ten seconds and then say that there is no such host.
        let echo = try Tool.run(
            "/usr/bin/unshare",
            [
                "-m", "/bin/sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"", folder + "/resolv.conf",
                HuizhenProcess.binary, "echo", "ANY@pacs.hospital.example:104", "--set", "dimse.connect=1",
            ])
        #expect(echo.code != 0 && echo.error.contains("did not answer in time"), "\(echo.error)")
    }
}
