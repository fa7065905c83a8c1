import HTTPTypes
import Hummingbird
import NIOCore

/// How a request reached the service, as its client sees it: addresses in answers begin with it.
public struct RequestOrigin: Sendable, Equatable {
    public var scheme: String
    /// Host and port, as the client names them.
    public var authority: String
    /// The client's network address, as far as it is known; empty if it is not.
    public var address: String

    public init(scheme: String, authority: String, address: String = "") {
        self.scheme = scheme
        self.authority = authority
        self.address = address
    }
}

/// A context that knows how its request reached the service.
public protocol OriginContext: RequestContext {
    var origin: RequestOrigin { get set }
    /// The address of the connection's other end.
    var peerAddress: String? { get }
    /// The connection, or its stream.
    var channel: any Channel { get }

    /// What the other end of the connection showed over TLS.
    var certificate: ClientCertificate? { get set }
}

extension OriginContext {
    /// Whether the request comes from this machine: its connection does, and what a trusted proxy says of it. The local operator's
    /// credentials are good for nothing on others.
    public var isOfThisMachine: Bool { Self.isLoopback(peerAddress ?? "") && Self.isLoopback(origin.address) }

    private static func isLoopback(_ address: String) -> Bool {
        address == "::1" || address.hasPrefix("127.") || address.hasPrefix("::ffff:127.")
    }
}

/// Notes how a request came; what a proxy says of it counts only from those that are trusted. RFC 7239.
public struct OriginNote<Context: OriginContext>: RouterMiddleware {
    private let scheme: String
    private let proxies: Set<String>
    private let certificates: ClientCertificates?

    /// - Parameters:
    ///   - scheme: of the port the request came in by.
    ///   - proxies: addresses of proxies whose word counts.
    init(scheme: String, proxies: [String], certificates: ClientCertificates? = nil) {
        self.certificates = certificates
        self.scheme = scheme
        self.proxies = Set(proxies)
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        var request = request
        context.origin = RequestOrigin(
            scheme: scheme, authority: request.head.authority ?? "", address: context.peerAddress ?? "")
        context.certificate = certificates?.certificate(of: context.channel)
        if let address = context.peerAddress, proxies.contains(address) {
            let told = ForwardedOrigin(request.headers)
            // Its own, and nobody's behind it.
            context.certificate = nil
            if let scheme = told.scheme { context.origin.scheme = scheme }
            if let client = told.client { context.origin.address = client }
            if let host = told.host {
                context.origin.authority = host
                var head = request.head
                head.authority = host
                request = Request(head: head, body: request.body)
            }
        }
        return try await next(request, context)
    }
}

/// What the last proxy says of a request: `Forwarded`, else `X-Forwarded-Proto`, `-Host` and `-For`.
struct ForwardedOrigin: Equatable {
    var scheme: String?
    var host: String?
    /// The address that the proxy itself saw.
    var client: String?

    init(_ fields: HTTPFields) {
        if let field = fields[values: Self.forwarded].last {
            guard let element = Self.split(field, at: ",").last else { return }
            for pair in Self.split(element, at: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1).map { $0.trimmed }
                guard parts.count == 2 else { continue }
                let value = parts[1].first == "\"" ? String(parts[1].dropFirst().dropLast()) : parts[1]
                switch parts[0].lowercased() {
                case "proto": scheme = Self.scheme(value)
                case "host": host = Self.host(value)
                case "for": client = Self.address(value)
                default: continue
                }
            }
            return
        }
        scheme = fields[Self.forwardedProto].flatMap { Self.last($0) }.flatMap(Self.scheme)
        host = fields[Self.forwardedHost].flatMap { Self.last($0) }.flatMap(Self.host)
        client = fields[values: Self.forwardedFor].last.flatMap { Self.last($0) }.flatMap(Self.address)
    }

    private static let forwarded = HTTPField.Name("Forwarded") ?? .via
    private static let forwardedProto = HTTPField.Name("X-Forwarded-Proto") ?? .via
    private static let forwardedHost = HTTPField.Name("X-Forwarded-Host") ?? .via

    private static let forwardedFor = HTTPField.Name("X-Forwarded-For") ?? .via

    private static func last(_ list: String) -> String? { list.split(separator: ",").last?.trimmed }

    private static func scheme(_ text: String) -> String? {
        let scheme = text.lowercased()
        return scheme == "http" || scheme == "https" ? scheme : nil
    }

    /// An address without its port: `192.0.2.1:80`, `[2001:db8::1]:80`. RFC 7239 §6.
    private static func address(_ text: String) -> String? {
        var address = text
        if text.first == "[" {
            guard let end = text.firstIndex(of: "]") else { return nil }
            address = String(text[text.index(after: text.startIndex)..<end])
        } else if let colon = text.firstIndex(of: ":"), text.lastIndex(of: ":") == colon {
            address = String(text[..<colon])
        }
        return (try? SocketAddress(ipAddress: address, port: 0)) == nil ? nil : address
    }

    /// A host with or without a port, and nothing that could end an address or a header.
    private static func host(_ text: String) -> String? {
        let isPlain = text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]")]
                    .contains(byte)
        }
        return isPlain && !text.isEmpty && text.utf8.count <= 255 ? text : nil
    }

    /// Parts that quotes keep together.
    private static func split(_ text: String, at separator: Character) -> [String] {
        var parts = [""]
        var isQuoted = false
        for character in text {
            if character == "\"" { isQuoted.toggle() }
            if character == separator, !isQuoted { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.map { $0[...].trimmed }
    }
}

extension Substring {
    fileprivate var trimmed: String {
        var text = self
        while text.first == " " || text.first == "\t" { text = text.dropFirst() }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
