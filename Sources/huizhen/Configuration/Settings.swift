import Archive
import BlobStore
import Catalog
import Configuration
import DICOMweb
import DIMSE
import Foundation
import HTTP
import Keys
import Queue
import Release
import Toolkit

/// The effective configuration: command line, then environment, then file, then defaults.
struct Settings: Sendable {
    private var values: [String: String]

    static let table: [Setting] =
        [
            Setting(
                key: "data", kind: .text, defaultValue: Self.defaultDataDirectory,
                about: "directory of packs, journal, catalogue and keys"),
            Setting(
                key: "master-key", kind: .text, defaultValue: "",
                about: "where the master key is: a file, fd:N, credential:NAME (systemd) or command:/path arguments; "
                    + "empty: keys/master.key in the data directory, made at first start"),
            Setting(
                key: "master-key-days", kind: .integer(0...3660), defaultValue: "365",
                about: "days after which the master key is to be rotated, which is said and not done; 0: never"),
            Setting(
                key: "ae-title", kind: .text, defaultValue: "HUIZHEN",
                about: "our AE title; calls to another are refused"),
            Setting(key: "institution", kind: .text, defaultValue: "LOCAL", about: "name of this institution"),
            Setting(
                key: "issuer", kind: .text, defaultValue: "LOCAL",
                about: "issuer of Patient ID for objects that name none, from peers without one of their own"),
            Setting(
                key: "audit.anchors", kind: .text, defaultValue: "",
                about:
                    "file, best on another machine, to which the signed anchors of the audit log are appended; empty: "
                    + "they stand in the service's log and beside the audit log only"),
            Setting(
                key: "audit.anchor-interval", kind: .seconds(10...86_400), defaultValue: "600",
                about: "time between two anchors while acts come"),
        ] + auditTable + [
            Setting(
                key: "dimse.addresses", kind: .list, defaultValue: defaultAddresses,
                about: "addresses to listen on; 0.0.0.0 and :: are every IPv4 and IPv6 address; of the default, those "
                    + "that the machine has"),
            Setting(
                key: "dimse.port", kind: .integer(0...65535), defaultValue: "11112",
                about: "DIMSE port; 0 takes a free one"
            ),
        ] + tlsTable + accountTable + oversightTable + credentialTable + openIDTable + transferTable + fileTable + [
            Setting(
                key: "dimse.open-to-unknown-peers", kind: .flag, defaultValue: "false",
                about: "test server: callers that were not added may do everything, from loopback addresses"),
            Setting(
                key: "dimse.associations", kind: .integer(1...2000), defaultValue: "100",
                about: "accepted associations at a time"),
            Setting(
                key: "dimse.connections", kind: .integer(1...10000), defaultValue: "1024",
                about: "connections at a time, accepted as associations or not"),
            Setting(
                key: "dimse.connections-per-address", kind: .integer(1...10000), defaultValue: "512",
                about: "connections at a time from one address"),
            Setting(
                key: "dimse.artim", kind: .seconds(1...600), defaultValue: "30",
                about: "time to complete negotiation, release or abort (PS3.8 §9.1.5)"),
            Setting(
                key: "dimse.idle", kind: .seconds(1...86400), defaultValue: "600",
                about: "time an association may stay without a message"),
            Setting(
                key: "dimse.pdu", kind: .seconds(1...3600), defaultValue: "60",
                about: "time a PDU that has begun may take to arrive or to be taken"),
            Setting(
                key: "dimse.connect", kind: .seconds(1...600), defaultValue: "10", about: "time to connect to a peer"),
            Setting(
                key: "dimse.maximum-pdu", kind: .integer(4096...131072), defaultValue: "131072",
                about: "bytes of the largest PDU taken"),
            Setting(
                key: "dimse.find-limit", kind: .integer(1...1_000_000), defaultValue: "20000",
                about: "matches of one C-FIND; the answer then ends with 0xA700"),
            Setting(
                key: "dimse.retrieve-limit", kind: .integer(1...10_000_000), defaultValue: "1000000",
                about: "objects of one C-MOVE or C-GET"),
            Setting(
                key: "dimse.unknown-sop-classes", kind: .flag, defaultValue: "false",
                about: "take SOP classes for storage that no list names"),
            Setting(
                key: "dimse.stop", kind: .seconds(0...600), defaultValue: "10",
                about: "time running operations have to finish when the service stops"),
            Setting(
                key: "http.port", kind: .integer(0...65535), defaultValue: "8042",
                about: "health and metrics, on 127.0.0.1 only; 0 takes a free one"),
            Setting(
                key: "web.address", kind: .choice(["127.0.0.1", "::1"]), defaultValue: "127.0.0.1",
                about: "address of the web door (DICOMweb, pages) in clear; of this machine only"),
            Setting(
                key: "web.port", kind: .integer(0...65535), defaultValue: "8043",
                about: "port of the web door (DICOMweb); 0 takes a free one"),
            Setting(
                key: "web.tls.port", kind: .integer(0...65535), defaultValue: "8044",
                about: "port of the web door with TLS, for HTTP/2 and HTTP/1.1; 0 takes a free one"),
            Setting(
                key: "web.tls.address", kind: .text, defaultValue: "",
                about:
                    "address of the web door with TLS; empty: that of web.address; beyond this machine (0.0.0.0 and :: are every address) only with "
                    + "web.tls.certificate and web.hosts"),
            Setting(
                key: "web.tls.certificate", kind: .text, defaultValue: "",
                about: "PEM file of the web door's certificate and the intermediate ones after it; empty: one made at "
                    + "first start, for this machine only, in the data directory's folder web"),
            Setting(
                key: "web.tls.key", kind: .text, defaultValue: "",
                about:
                    "PEM file of its key, open to its owner only, without a pass phrase; empty: in the certificate's file"
            ),
            Setting(
                key: "web.tls.minimum", kind: .choice(["1.2", "1.3"]), defaultValue: "1.3",
                about: "oldest version of TLS on the web door"),
            Setting(
                key: "web.trusted-proxies", kind: .list, defaultValue: "",
                about: "addresses of proxies whose Forwarded or X-Forwarded-Proto, -Host and -For count"),
            Setting(
                key: "web.origins", kind: .list, defaultValue: "",
                about: "origins such as https://viewer.example whose pages may send requests with a token (CORS)"),
            Setting(
                key: "web.connections", kind: .integer(1...100_000), defaultValue: "10000",
                about: "connections to each port of the web door at a time; further ones wait"),
            Setting(
                key: "web.hosts", kind: .list, defaultValue: "",
                about: "host names that web requests may name besides localhost, 127.0.0.1 and [::1]"),
            Setting(
                key: "web.session", kind: .seconds(300...86_400), defaultValue: "28800",
                about: "how long a browser stays signed in, however much it is used; no longer than its token"),
            Setting(
                key: "web.session-idle", kind: .seconds(60...86_400), defaultValue: "900",
                about: "how long a browser stays signed in without being used"),
            Setting(
                key: "web.search-limit", kind: .integer(1...1_000_000), defaultValue: "20000",
                about: "matches of one search; the answer then carries a warning"),
            Setting(
                key: "web.retrieve-limit", kind: .integer(1...10_000_000), defaultValue: "1000000",
                about: "objects of one retrieval"),
            Setting(
                key: "web.deidentify-profiles", kind: .choices(Releases.profiles),
                defaultValue: "consultation,research,teaching",
                about: "profiles by which a retrieval may ask to be de-identified, once access.masked-project names a "
                    + "project; empty: none"),
            Setting(
                key: "web.idle", kind: .seconds(1...3600), defaultValue: "60",
                about: "how long a web connection may be silent, and the head of a request may take"),
            Setting(
                key: "web.requests", kind: .integer(1...100_000), defaultValue: "4096",
                about: "web requests under way at a time; further ones are answered 503"),
            Setting(
                key: "web.requests-per-caller", kind: .integer(1...100_000), defaultValue: "1024",
                about: "of these those of one caller, by account, token or peer; further ones are answered 429"),
            Setting(
                key: "web.body-limit", kind: .integer(1024...1_099_511_627_776), defaultValue: "68719476736",
                about: "bytes of the body of a web request; a larger one is answered 413"),
            Setting(
                key: "web.body-idle", kind: .seconds(1...3600), defaultValue: "30",
                about: "how long a body's next byte is waited for, and how long it may come slower than web.body-rate; "
                    + "then 408"),
            Setting(
                key: "web.body-rate", kind: .integer(0...1_000_000_000), defaultValue: "1024",
                about: "bytes a second that a body must bring on the average"),
            Setting(
                key: "web.answer-idle", kind: .seconds(1...86400), defaultValue: "600",
                about: "how long a client may take nothing of its answer; then its connection is closed"),
            Setting(
                key: "web.threads", kind: .integer(1...1024), defaultValue: "16",
                about: "web requests that read or write the archive at a time; others wait in order"),
            Setting(
                key: "storage.differing-content", kind: .choice(DifferingContentPolicy.allCases.map(\.rawValue)),
                defaultValue: "keep", about: "what happens to other content under a held SOP Instance UID"),
            Setting(
                key: "storage.compression", kind: .choice(CompressionAtRest.allCases.map(\.rawValue)),
                defaultValue: "none",
                about: "how uncompressed images are kept, without loss; what was received comes back bit for bit"),
            Setting(
                key: "storage.grace", kind: .seconds(0...31_536_000), defaultValue: "604800",
                about: "how long a removed study can be brought back"),
            Setting(
                key: "storage.reserve", kind: .integer(0...1_099_511_627_776), defaultValue: "268435456",
                about: "bytes that must stay free; below, stores are answered with 0xA700"),
            Setting(
                key: "storage.key-settle", kind: .seconds(0...2_592_000), defaultValue: "3600",
                about:
                    "how long a key that was copied to the key store stays in its pack too, and what was compressed as it was "
                    + "sent; a copy of the running data directory that takes less time is whole in whatever order it is made"
            ),
            Setting(
                key: "storage.pack", kind: .integer(1_048_576...1_099_511_627_776), defaultValue: "1073741824",
                about: "bytes of a pack file"),
            Setting(
                key: "storage.prewrite", kind: .integer(0...17_179_869_184), defaultValue: "268435456",
                about:
                    "bytes of blank pack kept ready (a quarter of it for each further writer), so that a store overwrites "
                    + "instead of growing a file; 0: none"),
            Setting(
                key: "catalogue.private-attributes", kind: .privateAttributes, defaultValue: "",
                about:
                    "private attributes that searches may ask for: of a study, series or instance, by group, place in the "
                    + "block, VR and private creator, as `series 0019xx0C IS SIEMENS MR HEADER`; of what is held already "
                    + "after `huizhen reindex`; empty: none, for they may name the patient"),
            Setting(
                key: "study.quiet", kind: .seconds(0...86400), defaultValue: "5",
                about: "how long a study must be quiet to count as complete"),
            Setting(
                key: "codec.workers", kind: .integer(1...256),
                defaultValue: String(ProcessInfo.processInfo.activeProcessorCount),
                about: "processes that decode and encode frames at a time; by default one for each processor"),
            Setting(
                key: "queue.first-retry", kind: .seconds(1...3600), defaultValue: "5",
                about: "time from a first failure to the next try; doubled with each further one"),
            Setting(
                key: "queue.longest-retry", kind: .seconds(1...86400), defaultValue: "900",
                about: "longest time between two tries"),
            Setting(
                key: "queue.attempts", kind: .integer(1...1000), defaultValue: "8",
                about: "tries that a destination may refuse before a job is dead"),
            Setting(
                key: "queue.patience", kind: .seconds(60...31_536_000), defaultValue: "259200",
                about: "how long a destination may not answer before its jobs are dead"),
            Setting(
                key: "queue.lanes", kind: .integer(1...256), defaultValue: "16",
                about: "destinations served at a time"),
            Setting(
                key: "queue.jobs", kind: .integer(1...100_000_000), defaultValue: "1000000",
                about: "jobs that may wait"),
            Setting(
                key: "log.level", kind: .choice(["debug", "info", "notice", "warning", "error"]),
                defaultValue: "notice",
                about: "least severity that is logged"),
        ]

    private static var defaultDataDirectory: String {
        let home = ProcessInfo.processInfo.environment["HOME"] ?? "/var/lib"
        return home + "/.local/share/huizhen"
    }

    /// Reads every source.
    ///
    /// - Parameters:
    ///   - file: JSON with nested objects or dotted keys; nil for none.
    ///   - commandLine: values given as options, by key.
    init(file: String?, commandLine: [String: String]) async throws {
        var providers: [any ConfigProvider] = [
            InMemoryProvider(
                values: Dictionary(
                    uniqueKeysWithValues: commandLine.map {
                        (
                            AbsoluteConfigKey($0.key.split(separator: ".").map(String.init)),
                            ConfigValue(stringLiteral: $0.value)
                        )
                    })),
            EnvironmentVariablesProvider().prefixKeys(with: "huizhen"),
        ]
        if let file { providers.append(try Self.provider(file: file)) }
        let reader = ConfigReader(providers: providers)
        values = [:]
        for setting in Self.table {
            let value = reader.string(forKey: ConfigKey(setting.key), default: setting.defaultValue)
            try setting.check(value)
            values[setting.key] = value
        }
    }

    /// The file's values as text, every key known.
    private static func provider(file: String) throws -> any ConfigProvider {
        guard let data = FileManager.default.contents(atPath: file) else {
            throw SettingsError.unreadable(file: file, why: "it is not there, or not for this user")
        }
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw SettingsError.unreadable(file: file, why: "it is no JSON object")
        }
        var flat: [AbsoluteConfigKey: ConfigValue] = [:]
        try flatten(object, path: [], file: file, into: &flat)
        return InMemoryProvider(values: flat)
    }

    private static func flatten(
        _ object: [String: Any], path: [String], file: String, into flat: inout [AbsoluteConfigKey: ConfigValue]
    ) throws {
        for (name, value) in object {
            let path = path + name.split(separator: ".").map(String.init)
            if let inner = value as? [String: Any] {
                try flatten(inner, path: path, file: file, into: &flat)
                continue
            }
            let key = path.joined(separator: ".")
            guard let setting = table.first(where: { $0.key == key }) else {
                throw SettingsError.unknownKey(key, file: file)
            }
            let text: String
            switch (value, setting.kind) {
            case (let list as [Any], .privateAttributes): text = list.map { "\($0)" }.joined(separator: "\\")
            case (let list as [Any], _): text = list.map { "\($0)" }.joined(separator: ",")
            case (let number as NSNumber, .flag): text = number.boolValue ? "true" : "false"
            default: text = "\(value)"
            }
            flat[AbsoluteConfigKey(path)] = ConfigValue(stringLiteral: text)
        }
    }

    func text(_ key: String) -> String { values[key] ?? "" }

    /// What is not as it is by default, for the record of acts. Of texts, which may name places and commands, the beginning of a
    /// digest, by which a change shows.
    var deviations: [String] {
        Self.table.compactMap { setting in
            guard let value = values[setting.key], value != setting.defaultValue else { return nil }
            switch setting.kind {
            case .text, .list, .privateAttributes:
                let digest = Array(value.utf8).withUnsafeBytes { try? SHA256Digest.of($0) } ?? []
                return "\(setting.key) (\(Array(digest.prefix(4)).hexadecimal))"
            case .flag, .integer, .seconds, .choice, .choices: return "\(setting.key)=\(value)"
            }
        }
    }

    func flag(_ key: String) -> Bool { text(key) == "true" }

    func integer(_ key: String) -> Int { Int(text(key)) ?? 0 }

    func seconds(_ key: String) -> Duration { .seconds(integer(key)) }

    func list(_ key: String) -> [String] { Setting.list(text(key)) }
}

extension Settings {
    var dataDirectory: String { text("data") }

    /// Where the master key is. A descriptor is kept from children from here on.
    var masterKey: MasterKeySource {
        get throws {
            let text = text("master-key")
            guard !text.isEmpty else { return .file(path: dataDirectory + "/keys/master.key") }
            guard let source = MasterKeySource(text) else { throw KeyCommandError.noSource }
            if case .descriptor(let number) = source { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
            return source
        }
    }

    var timeouts: AssociationTimeouts {
        AssociationTimeouts(
            artim: seconds("dimse.artim"), idle: seconds("dimse.idle"), pdu: seconds("dimse.pdu"),
            connect: seconds("dimse.connect"))
    }

    /// What callers of the web door with TLS put into addresses: a name that they know it by once it is beyond this machine.
    var webTLSHost: String {
        let address = text("web.tls.address").isEmpty ? text("web.address") : text("web.tls.address")
        switch address {
        case "127.0.0.1", "::1": return address
        case "0.0.0.0": return list("web.hosts").first ?? "127.0.0.1"
        case "::": return list("web.hosts").first ?? "::1"
        default: return list("web.hosts").first ?? address
        }
    }

    var webServer: WebServer.Settings {
        var result = WebServer.Settings()
        result.address = text("web.address")
        result.port = integer("web.port")
        result.securePort = integer("web.tls.port")
        if !text("web.tls.address").isEmpty { result.secureAddress = text("web.tls.address") }
        result.hasOwnCertificate = !text("web.tls.certificate").isEmpty
        result.allowsTLS12 = text("web.tls.minimum") == "1.2"
        result.hosts = list("web.hosts")
        result.proxies = list("web.trusted-proxies")
        result.origins = list("web.origins")
        result.connectionLimit = integer("web.connections")
        result.idleTime = seconds("web.idle")
        result.bounds.requestLimit = integer("web.requests")
        result.bounds.bodyByteCount = integer("web.body-limit")
        result.bounds.bodyIdle = seconds("web.body-idle")
        result.bounds.bodyRate = integer("web.body-rate")
        result.bounds.answerIdle = seconds("web.answer-idle")
        return result
    }

    var web: Door.Settings {
        var result = Door.Settings()
        result.searchLimit = integer("web.search-limit")
        result.retrieveLimit = integer("web.retrieve-limit")
        result.deidentifyProfiles = Set(list("web.deidentify-profiles"))
        result.takesUnknownClasses = flag("dimse.unknown-sop-classes")
        result.threadCount = integer("web.threads")
        result.callerRequestLimit = integer("web.requests-per-caller")
        return result
    }

    /// Where DIMSE listens: what was said, or, where nothing was, those of the default that this machine has. One without
    /// IPv6 is usual.
    var dimseAddresses: [String] {
        let addresses = list("dimse.addresses")
        guard addresses == Setting.list(Self.defaultAddresses) else { return addresses }
        let present = addresses.filter { (try? Listener(addresses: [$0], port: 0)) != nil }
        return present.isEmpty ? addresses : present
    }

    private static let defaultAddresses = "127.0.0.1,::1"

    var dimse: DIMSESettings {
        var result = DIMSESettings()
        result.addresses = dimseAddresses
        result.port = UInt16(integer("dimse.port"))
        result.associationLimit = integer("dimse.associations")
        result.connectionLimit = integer("dimse.connections")
        result.connectionLimitPerAddress = integer("dimse.connections-per-address")
        result.timeouts = timeouts
        result.maximumPDU = integer("dimse.maximum-pdu")
        result.findLimit = integer("dimse.find-limit")
        result.retrieveLimit = integer("dimse.retrieve-limit")
        result.tlsPort = text("dimse.tls.certificate").isEmpty ? nil : UInt16(integer("dimse.tls.port"))
        result.acceptsUnknownSOPClasses = flag("dimse.unknown-sop-classes")
        result.stopTimeout = seconds("dimse.stop")
        return result
    }

    var queue: QueueSettings {
        var result = QueueSettings()
        result.firstRetry = seconds("queue.first-retry")
        result.longestRetry = seconds("queue.longest-retry")
        result.attemptLimit = integer("queue.attempts")
        result.patience = seconds("queue.patience")
        result.laneLimit = integer("queue.lanes")
        result.jobLimit = integer("queue.jobs")
        return result
    }

    var archive: Archive.Settings {
        var result = Archive.Settings()
        result.differingContent = DifferingContentPolicy(rawValue: text("storage.differing-content")) ?? .keep
        result.compression = CompressionAtRest(rawValue: text("storage.compression")) ?? .none
        result.gracePeriod = seconds("storage.grace")
        result.institution = text("institution")
        result.blobs.keySettleTime = seconds("storage.key-settle")
        result.formerPeriod = seconds("storage.key-settle")
        // Checked when it was read.
        result.privateAttributes = (try? Setting.privateAttributes(text("catalogue.private-attributes"))) ?? .none
        result.studyQuietTime = seconds("study.quiet")
        result.blobs.reserveByteCount = UInt64(integer("storage.reserve"))
        result.blobs.packByteCount = UInt64(integer("storage.pack"))
        result.blobs.firstPrewriteByteCount = UInt64(integer("storage.prewrite"))
        result.blobs.prewriteByteCount = UInt64(integer("storage.prewrite")) / 4
        return result
    }
}
