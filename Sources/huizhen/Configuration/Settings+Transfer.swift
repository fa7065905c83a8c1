import HTTP
import Logging
import Transfer

extension Settings {
    static let transferTable: [Setting] = [
        Setting(
            key: "transfer.address", kind: .text, defaultValue: "127.0.0.1",
            about: "address of the door for other sites; any: it lets in only who shows the certificate of a known site"
        ),
        Setting(
            key: "transfer.port", kind: .integer(0...65535), defaultValue: "8045",
            about: "port of the door for other sites; 0 takes a free one"),
        Setting(
            key: "transfer.name", kind: .text, defaultValue: "",
            about: "what this site calls itself to others; empty: the AE title"),
        Setting(
            key: "transfer.certificate", kind: .text, defaultValue: "",
            about:
                "PEM file of this site's certificate, for both directions; empty: one made at first start, for 5 years"),
        Setting(
            key: "transfer.key", kind: .text, defaultValue: "",
            about: "PEM file of its key, open to its owner only; empty: in the certificate's file"),
        Setting(
            key: "transfer.rate", kind: .integer(0...1_000_000_000_000), defaultValue: "0",
            about: "bytes a second that are sent to all sites together; 0: no bound"),
        Setting(
            key: "transfer.compress", kind: .flag, defaultValue: "true",
            about: "whether objects are compressed on the line where that pays"),
        Setting(
            key: "transfer.congestion-control", kind: .choice(["bbr", "cubic", "hybla", "reno", "system"]),
            defaultValue: "bbr",
            about: "how the kernel paces what is sent to sites, where it has it; system: as for everything else"),
        Setting(
            key: "transfer.answer-time", kind: .seconds(5...3600), defaultValue: "120",
            about: "how long another site may take to answer"),
        Setting(
            key: "transfer.keep", kind: .seconds(60...31_536_000), defaultValue: "604800",
            about: "after how much silence what arrived of an unfinished transfer is given up"),
        Setting(
            key: "transfer.parallel", kind: .integer(1...64), defaultValue: "8",
            about: "transfers begun here that are under way at a time"),
        Setting(
            key: "transfer.first-retry", kind: .seconds(1...3600), defaultValue: "1",
            about: "time from a first failure of a transfer to the next try, doubled with each further one"),
        Setting(
            key: "transfer.longest-retry", kind: .seconds(1...86400), defaultValue: "300",
            about: "longest time between two tries of a transfer"),
    ]

    var transfers: TransferSettings {
        var result = TransferSettings()
        result.compresses = flag("transfer.compress")
        result.rate = integer("transfer.rate") == 0 ? nil : integer("transfer.rate")
        result.answerTime = seconds("transfer.answer-time")
        let control = text("transfer.congestion-control")
        result.congestionControl = control == "system" ? nil : control
        result.keepTime = seconds("transfer.keep")
        result.queue = queue
        result.queue.laneLimit = integer("transfer.parallel")
        result.queue.firstRetry = seconds("transfer.first-retry")
        result.queue.longestRetry = seconds("transfer.longest-retry")
        return result
    }

    /// What this site proves itself by; made where none is configured and there is none.
    func siteIdentity() throws -> SiteIdentity {
        let name = text("transfer.name").isEmpty ? text("ae-title") : text("transfer.name")
        let named = text("transfer.certificate")
        if !named.isEmpty {
            let key = text("transfer.key").isEmpty ? named : text("transfer.key")
            return try SiteIdentity(name: name, certificateFile: named, keyFile: key)
        }
        let own = try SelfSignedCertificate.files(in: dataDirectory + "/site", for: .site(name))
        return try SiteIdentity(name: name, certificateFile: own.certificate, keyFile: own.key)
    }

    /// Connections of other sites at a time.
    static let siteConnectionLimit = 256

    func transferServer(_ certificates: ClientCertificates) -> WebServer.Settings {
        var result = WebServer.Settings()
        result.isMutual = true
        result.address = text("transfer.address")
        result.securePort = integer("transfer.port")
        result.connectionLimit = Self.siteConnectionLimit
        result.idleTime = .seconds(120)
        result.bounds.requestLimit = 256
        // A chunk, or a part of a manifest.
        result.bounds.bodyByteCount = 16 << 20
        result.bounds.answerIdle = .seconds(120)
        result.clientCertificates = certificates
        result.congestionControl = transfers.congestionControl
        return result
    }
}
