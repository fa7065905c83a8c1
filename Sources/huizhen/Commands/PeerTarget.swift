import Access
import ArgumentParser
import Control
import DICOM
import DIMSE
import Toolkit

/// The other side of a command that speaks DICOM itself.
struct PeerTarget: ParsableArguments {
    @Argument(help: "AE title of a peer the service knows, or AETITLE@HOST:PORT.")
    var peer: String

    @Option(name: .customLong("calling"), help: "Our AE title; the configured one by default.")
    var calling: String?

    @Flag(help: "Call over TLS; a named peer that was added with --tls is called so anyway.")
    var tls = false

    @Option(help: "PEM file of the authorities that may vouch for the other side; the configured ones by default.")
    var authorities: String?

    @Option(name: .customLong("certificate-sha256"), help: "Fingerprint of the other side's certificate.")
    var fingerprint: String?

    @OptionGroup var options: ConfigurationOptions

    /// The peer's description, from the argument or from the running service, with what the options add.
    func resolve(_ settings: Settings) throws -> Peer {
        var peer = try named(settings)
        if let fingerprint {
            guard let read = Fingerprint(fingerprint) else {
                throw ValidationError("--certificate-sha256 takes 64 hexadecimal digits.")
            }
            peer.certificates = PeerCertificates(fingerprints: ["\(read)"])
        } else if peer.certificates == nil, tls || authorities != nil {
            peer.certificates = PeerCertificates(allowsAny: true)
        }
        guard peer.certificates != nil || peer.allowsPlain || peer.isHostLoopback else {
            throw CommandFailure.end(
                1, "\(peer.aeTitle) is over the network and allows no plain DICOM: see --tls and --allow-plain")
        }
        return peer
    }

    private func named(_ settings: Settings) throws -> Peer {
        if let at = peer.lastIndex(of: "@") {
            let place = peer[peer.index(after: at)...]
            guard let colon = place.lastIndex(of: ":"), let port = UInt16(place[place.index(after: colon)...]) else {
                throw ValidationError("Write the peer as AETITLE@HOST:PORT.")
            }
            let host = place[..<colon].trimmingCharacters(in: ["[", "]"])
            // Named on this command line by the operator: that is the explicit setting for this one exchange.
            return Peer(
                aeTitle: String(peer[..<at]), addresses: [host], port: port, institution: settings.text("institution"),
                issuer: settings.text("issuer"), allowsPlain: true)
        }
        let channel = try Channel.ask(.peers, settings)
        guard case .peers(let peers) = try channel.reply() else { throw CommandFailure.end(2, "no peers came") }
        guard let found = peers.first(where: { $0.aeTitle == peer }) else {
            throw CommandFailure.end(1, "\(AccessError.unknownPeer(peer))")
        }
        return found
    }

    func target(_ settings: Settings) throws -> Requester.Target {
        let peer = try resolve(settings)
        let credentials = try credentials(for: peer, settings)
        return try reaching {
            try Requester.Target(
                peer, callingAETitle: calling ?? settings.text("ae-title"), timeouts: settings.timeouts,
                credentials: credentials)
        }
    }

    /// What to call the peer with; nil for an unencrypted call.
    func credentials(for peer: Peer, _ settings: Settings) throws -> TransportCredentials? {
        guard peer.certificates != nil else { return nil }
        var files = settings.tlsFiles ?? TLSFiles()
        if let authorities { files.authorities = authorities }
        do { return try TransportCredentials(files: files) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
    }
}

/// Turns an exchange's failure into words and an exit code.
func reaching<T>(_ body: () throws -> T) throws -> T {
    do { return try body() } catch let error as DIMSEError {
        if case .association = error { throw CommandFailure.end(2, "\(error)") }
        throw CommandFailure.end(1, "\(error)")
    }
}

/// The keys of a query as options.
struct QueryOptions: ParsableArguments {
    @Option(help: "Level: patient, study, series or image.")
    var level = "study"

    @Option(help: "Information model: study or patient root.")
    var model = "study"

    @Option(
        name: [.customShort("k"), .customLong("key")],
        help: "A key, as KEYWORD or KEYWORD=VALUE, for example PatientName=王*. May be repeated.")
    var keys: [String] = []

    func parse() throws -> (keys: Dataset, model: Requester.Model) {
        guard let model = Requester.Model(rawValue: model) else {
            throw ValidationError("--model is study or patient.")
        }
        var dataset = Dataset()
        for key in keys {
            let parts = key.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let tag = Tag.named(parts[0]) else {
                throw ValidationError("\(parts[0]) is no attribute: take a keyword or 0010,0020.")
            }
            let vr = Dictionary.vr(of: tag) ?? .UN
            if vr == .SQ {
                dataset.set(tag, .SQ, items: [])
            } else {
                dataset.set(tag, vr, strings: parts.count > 1 ? parts[1].components(separatedBy: "\\") : [])
            }
        }
        dataset.set(.queryRetrieveLevel, .CS, strings: [level.uppercased()])
        return (dataset, model)
    }
}
