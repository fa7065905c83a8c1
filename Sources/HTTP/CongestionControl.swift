import Glibc
import NIOCore

/// How the kernel paces what is sent on a connection. tcp(7), TCP_CONGESTION.
public final class CongestionControl: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    public typealias InboundIn = Any

    private static let optionNumber: CInt = 13
    private static let option: NIOBSDSocket.Option = .init(rawValue: optionNumber)
    private static let userTimeout: NIOBSDSocket.Option = .init(rawValue: 18)
    /// Milliseconds after which bytes that nobody acknowledged end the connection.
    private static let patience: CInt = 30_000

    private let name: String

    public init(_ name: String) { self.name = name }

    public func handlerAdded(context: ChannelHandlerContext) { Self.set(name, on: context.channel) }

    /// Sets it where the kernel has it; else the connection stays as it is.
    public static func set(_ name: String, on channel: any Channel) {
        guard let socket = channel as? any SocketOptionProvider else { return }
        var text: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &text) { $0.copyBytes(from: name.utf8.prefix($0.count - 1)) }
        socket.unsafeSetSocketOption(level: .tcp, name: option, value: text).whenFailure { _ in }
        socket.unsafeSetSocketOption(level: .tcp, name: userTimeout, value: patience).whenFailure { _ in }
    }

    /// Whether the kernel has it and lets this process use it, for who says so to the operator.
    public static func isAvailable(_ name: String) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return name.withCString {
            setsockopt(descriptor, Int32(IPPROTO_TCP), optionNumber, $0, socklen_t(strlen($0))) == 0
        }
    }
}
