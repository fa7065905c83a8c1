import Foundation

/// Debian's rsyslog as an audit sink, with a folder and a port of its own; ended with the value.
final class Rsyslog {
    let port: Int
    /// Every message as it came, one a line.
    let outputPath: String
    private let folder = TemporaryFolder.make()
    private var child: Child?

    /// - Parameter isSecure: with the certificate of `server`, for clients with a good one.
    init(port: Int = freePort(), isSecure: Bool) throws {
        self.port = port
        outputPath = folder + "/messages"
        let driver =
            isSecure
            ? """
            global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="\(Certificates.path("ca.pem"))"
              defaultNetstreamDriverCertFile="\(Certificates.path("server.pem"))"
              defaultNetstreamDriverKeyFile="\(Certificates.path("server.key"))")
            module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/certvalid")
            """ : "module(load=\"imtcp\")"
        let configuration = """
            global(workDirectory="\(folder)" maxMessageSize="64k")
            \(driver)
            input(type="imtcp" port="\(port)" address="127.0.0.1")
            template(name="raw" type="string" string="%rawmsg%\\n")
            action(type="omfile" file="\(outputPath)" template="raw" asyncWriting="off" flushOnTXEnd="on")

            """
        try Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/rsyslog.conf"))
        try start()
    }

    func start() throws {
        child = try Child(
            "/usr/sbin/rsyslogd", ["-n", "-f", folder + "/rsyslog.conf", "-i", folder + "/pid"], error: folder + "/log")
    }

    /// kill -9.
    func kill() { child?.end() }

    var text: String { String(decoding: FileManager.default.contents(atPath: outputPath) ?? Data(), as: UTF8.self) }

    /// Numbers of the records that came, in the order in which they came.
    var records: [Int] {
        text.split(separator: "\n").compactMap { line in
            guard line.contains(" DICOM+RFC3881 "), line.hasSuffix("</AuditMessage>"),
                let start = line.range(of: "[meta sequenceId=\""),
                let end = line.range(of: "\"] \u{FEFF}<AuditMessage>")
            else { return nil }
            return Int(line[start.upperBound..<end.lowerBound])
        }
    }

    /// Waits until the record has come.
    func waitFor(_ record: Int, seconds: Int = 60) -> Bool {
        for _ in 0..<(seconds * 10) {
            if records.contains(record) { return true }
            usleep(100_000)
        }
        return false
    }
}
