import Access
import AsyncHTTPClient
import Foundation
import HTTP
import Keys
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization

/// Asks another site's transfer door, over TLS 1.3 with both certificates. Safe from any thread; calls block.
final class SiteClient: Sendable {
    struct Settings: Sendable {
        /// How long a connection may take to open, and an answer to go on.
        var connectTime = Duration.seconds(10)
        var answerTime = Duration.seconds(120)
        var congestionControl: String? = "bbr"
        /// Connections that `open` opens, so that none has to be when there is something to send.
        var preparedConnectionCount = 0
    }

    private static let answerByteCountLimit = Chunk.byteCountLimit
    /// Of an answer that nobody reads.
    private static let plainAnswerByteCountLimit = TransferDoor.plainAnswerByteCount

    private let client: HTTPClient
    private let base: String
    private let answerTime: Duration
    private let preparedConnectionCount: Int
    private let hasClosed = Atomic<Bool>(false)
    /// What is wrong with our own certificate by our clock; nil where nothing is.
    private let ownFlaw: String?

    /// - Throws: `.ours` where the certificates cannot be used.
    init(_ peer: Peer, identity: SiteIdentity, settings: Settings) throws(TransferError) {
        guard let site = peer.site, let port = site.port, let host = peer.host else {
            throw .refused("the site only calls us: have it pull, or push to us")
        }
        answerTime = settings.answerTime
        ownFlaw = identity.validity.flaw
        preparedConnectionCount = settings.preparedConnectionCount
        base = "https://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        var tls = TLSConfiguration.makeClientConfiguration()
        do {
            tls.certificateChain = try NIOSSLCertificate.fromPEMFile(identity.certificateFile).map { .certificate($0) }
            tls.privateKey = .privateKey(try NIOSSLPrivateKey(file: identity.keyFile, format: .pem))
        } catch { throw .ours("the certificates of this site or of the other cannot be used") }
        // It is known by one certificate, whatever name stands in it and whoever vouches for it: see `check`. That it has the
        // key is what TLS itself proves.
        tls.certificateVerification = .none
        tls.minimumTLSVersion = .tlsv13
        // Whoever closes waits for it, five seconds for a line that is dead; all that was asked has been answered by then, or is
        // asked again.
        tls.shutdownTimeout = .seconds(1)
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.httpVersion = .http1Only
        configuration.redirectConfiguration = .disallow
        configuration.timeout = .init(
            connect: Self.amount(settings.connectTime), read: Self.amount(settings.answerTime),
            write: Self.amount(settings.answerTime))
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Carrier.threadLimit + 2
        configuration.connectionPool.retryConnectionEstablishment = false
        let expected = peer.certificates?.fingerprints.first
        let control = settings.congestionControl
        configuration.http1_1ConnectionDebugInitializer = { channel in
            if let control { CongestionControl.set(control, on: channel) }
            let checked = Self.check(channel, expected)
            // What is not taken into the pool is nobody's.
            checked.whenFailure { _ in channel.close(promise: nil) }
            return checked
        }
        client = HTTPClient(
            eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup.singleton), configuration: configuration)
    }

    /// Before anything is asked: the certificate must be the one that was given to us, and hold now.
    private static func check(_ channel: any Channel, _ expected: String?) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            let handler = try channel.pipeline.syncOperations.handler(type: NIOSSLClientHandler.self)
            guard let shown = handler.peerCertificate, let expected,
                ClientCertificate.fingerprint(of: shown) == expected
            else { throw TransferError.refused("the other side shows another certificate than the one it is known by") }
            if let flaw = CertificateValidity(of: shown).flaw {
                throw TransferError.refused(
                    "the other side's certificate \(flaw): it needs another one, or check the clocks")
            }
        }
    }

    private static func amount(_ duration: Duration) -> TimeAmount {
        .milliseconds(Int64(duration / .milliseconds(1)))
    }

    /// Has the connections opened; what becomes of that, the first question says.
    func open() {
        guard let request = try? HTTPClient.Request(url: base + TransferDoor.prefix + "/site") else { return }
        // One by each: the pool opens no two at once of its own, and each takes two round trips.
        for _ in 0..<preparedConnectionCount {
            _ = client.execute(
                request: request,
                delegate: AnswerCollector(limit: Self.plainAnswerByteCountLimit, patience: answerTime, line: nil))
        }
    }

    /// Ends all that is under way with an error, and the connections.
    func close() {
        hasClosed.store(true, ordering: .releasing)
        try? client.syncShutdown()
    }

    /// Whether nothing is asked any more.
    var isClosed: Bool { hasClosed.load(ordering: .acquiring) }

    struct Answer {
        var status: UInt
        var body: ByteBuffer
        /// Whether the body is a compressed message.
        var isMessage = false
        /// How long the other side took to make it, where it says so.
        var made: Duration?

        init(_ head: HTTPResponseHead, _ body: ByteBuffer) {
            status = head.status.code
            self.body = body
            isMessage = head.headers.first(name: "Content-Type") == TransferDoor.messageType
            made = head.headers.first(name: ServerTiming.field.rawName).flatMap(ServerTiming.duration)
        }

        /// The body as JSON of a type.
        ///
        /// - Parameter limit: the most bytes that it unpacks to.
        func message<T: Decodable>(
            _ type: T.Type, limit: Int = TransferDoor.messageByteCountLimit
        ) throws(TransferError) -> T {
            var bytes = Data(body.readableBytesView)
            if isMessage {
                let coder = try Zstandard()
                bytes = Data(
                    try Array(bytes).withRawBytes { coded throws(TransferError) in
                        try coder.message(coded, limit: limit)
                    })
            }
            guard let value = try? JSONDecoder().decode(type, from: bytes) else {
                throw .malformed("an answer that is not what was asked for")
            }
            return value
        }
    }

    /// - Throws: `.unreachable`; what the other side says, as one of the cases that it means.
    func ask(
        _ method: HTTPMethod, _ path: String, _ body: ByteBuffer? = nil, type: String = "application/json",
        counting line: LineCount? = nil
    ) throws(TransferError) -> Answer {
        let answer: Answer
        do {
            var request = try HTTPClient.Request(url: base + path, method: method)
            if let body {
                request.body = .byteBuffer(body)
                request.headers.add(name: "Content-Type", value: type)
            }
            answer = try client.execute(
                request: request,
                delegate: AnswerCollector(limit: Self.answerByteCountLimit, patience: answerTime, line: line)
            ).futureResult.wait()
        } catch { throw self.error(error) }
        guard (200..<300).contains(answer.status) || answer.status == 409 else { throw Self.problem(answer) }
        return answer
    }

    /// The same with a JSON message as the body, compressed where it is long.
    func ask<T: Encodable>(
        _ path: String, _ message: T, using coder: Zstandard, counting line: LineCount? = nil
    ) throws(TransferError) -> Answer {
        guard let bytes = try? JSONEncoder().encode(message) else { throw .ours("a message cannot be written down") }
        return try ask(
            .POST, path, ByteBuffer(bytes: try coder.compressed(Array(bytes))), type: TransferDoor.messageType,
            counting: line)
    }

    private struct ProblemText: Decodable {
        var detail: String?
    }

    private static func problem(_ answer: Answer) -> TransferError {
        let text = (try? JSONDecoder().decode(ProblemText.self, from: Data(answer.body.readableBytesView)))?.detail
        // What another writes goes to our operator: a bounded line of it.
        let words = (text ?? "status \(answer.status)").unicodeScalars.prefix(200)
        let why = String(String.UnicodeScalarView(words.filter { $0.properties.generalCategory != .control }))
        switch answer.status {
        case 404: return .forgotten
        case 507: return .full
        case 408, 429, 500, 502, 503, 504: return .busy(why)
        case 422: return .malformed(why)
        default: return .refused("the other side refuses: \(why)")
        }
    }

    private func error(_ error: any Error) -> TransferError {
        switch error {
        case let error as TransferError: return error
        case let error as HTTPClientError:
            switch error {
            case .cancelled, .alreadyShutdown: return .interrupted
            case .readTimeout, .deadlineExceeded: return .unreachable("it does not answer")
            case .connectTimeout, .getConnectionFromPoolTimeout: return .unreachable("it does not answer")
            case .tlsHandshakeTimeout: return .unreachable("its TLS handshake takes too long")
            case .remoteConnectionClosed: return .unreachable("the connection was closed")
            default: return .unreachable(error.shortDescription)
            }
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            if let ownFlaw {
                return .unreachable(
                    "the other side does not accept our certificate, which \(ownFlaw): see transfer.certificate")
            }
            return .unreachable(
                "the other side does not accept our certificate: it must have added us, and the certificate must hold "
                    + "by its clock")
        case let error as IOError: return .unreachable(String(cString: strerror(error.errnoCode)))
        case let error as NIOConnectionError:
            return .unreachable("nobody listens at \(error.host):\(error.port), or the name is unknown")
        default: return .unreachable("\(type(of: error))")
        }
    }
}
