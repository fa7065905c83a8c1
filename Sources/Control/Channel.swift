import Foundation
import Glibc

/// Length-led frames over a Unix socket: JSON messages and an object's bytes. One thread a side.
public final class Channel {
    private enum Kind: UInt8 {
        case message = 0x4A
        case data = 0x44
        case end = 0x45
        case abort = 0x41
    }

    /// The largest frame either side takes, in bytes.
    public static let frameByteCountLimit = 64 << 20

    /// What a socket takes in one piece; its smallest buffer has more.
    private static let offeredByteCountLimit = 1024

    private let descriptor: CInt

    public init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Connects to the service of a data directory.
    public static func connect(dataDirectory: String) throws(ControlError) -> Channel {
        let path = dataDirectory + "/" + ControlServer.socketName
        return Channel(descriptor: try LocalListener.connect(to: path))
    }

    /// The user at the other end, by the kernel's word; empty when it does not know.
    public var peerUser: String { PeerCredentials(of: descriptor)?.userName ?? "" }

    public func send(_ message: some Encodable) throws(ControlError) {
        guard let bytes = try? JSONEncoder().encode(message) else { throw .malformed }
        try bytes.withUnsafeBytesTyped { bytes throws(ControlError) in try write(.message, bytes) }
    }

    /// Sends a small message that may be lost: when the other side takes nothing now, or has gone. Never waits.
    public func offer(_ message: some Encodable) {
        guard let bytes = try? JSONEncoder().encode(message), bytes.count <= Self.offeredByteCountLimit else { return }
        let frame = Self.head(.message, bytes.count) + bytes
        // A socket takes a frame as small as this as a whole, or nothing of it.
        _ = Glibc.send(descriptor, frame, frame.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
    }

    public func send(data: UnsafeRawBufferPointer) throws(ControlError) { try write(.data, data) }

    public func sendEnd() throws(ControlError) { try write(.end, UnsafeRawBufferPointer(start: nil, count: 0)) }

    /// Says that the object whose bytes were coming ends here and is not whole.
    public func sendAbort(_ why: String) throws(ControlError) {
        try Array(why.utf8).withUnsafeBytesTyped { bytes throws(ControlError) in try write(.abort, bytes) }
    }

    public func receive<T: Decodable>(_ type: T.Type) throws(ControlError) -> T {
        let (kind, bytes) = try read()
        guard kind == .message, let value = try? JSONDecoder().decode(type, from: Data(bytes)) else {
            throw .malformed
        }
        return value
    }

    /// A message, or nil at the end of a list of objects.
    public func receiveOptional<T: Decodable>(_ type: T.Type) throws(ControlError) -> T? {
        let (kind, bytes) = try read()
        if kind == .end { return nil }
        guard kind == .message, let value = try? JSONDecoder().decode(type, from: Data(bytes)) else {
            throw .malformed
        }
        return value
    }

    /// Gives the pieces of one object's bytes until its end.
    ///
    /// - Throws: `.objectEnded` when the other side gave the object up; the next message can be received.
    public func receiveData(_ body: (UnsafeRawBufferPointer) -> Void) throws(ControlError) {
        while true {
            let (kind, bytes) = try read()
            switch kind {
            case .data: bytes.withUnsafeBytes(body)
            case .end: return
            case .abort: throw .objectEnded(String(decoding: bytes, as: UTF8.self))
            case .message: throw .malformed
            }
        }
    }

    private func write(_ kind: Kind, _ bytes: UnsafeRawBufferPointer) throws(ControlError) {
        try Self.head(kind, bytes.count).withUnsafeBytesTyped { head throws(ControlError) in try writeAll(head) }
        try writeAll(bytes)
    }

    private static func head(_ kind: Kind, _ byteCount: Int) -> [UInt8] {
        [kind.rawValue] + (0..<4).map { UInt8(truncatingIfNeeded: UInt32(byteCount) >> (8 * $0)) }
    }

    private func writeAll(_ bytes: UnsafeRawBufferPointer) throws(ControlError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw refusal() ?? .connectionLost }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Why the other side has gone: what it said before that can still be read, where it refused in the middle of what was sent.
    private func refusal() -> ControlError? {
        guard errno == EPIPE || errno == ECONNRESET, let (kind, bytes) = try? read(), kind == .message,
            case .failed(let why)? = try? JSONDecoder().decode(ControlReply.self, from: Data(bytes))
        else { return nil }
        return .refused(why)
    }

    private func read() throws(ControlError) -> (Kind, [UInt8]) {
        let head = try readExactly(5)
        guard let kind = Kind(rawValue: head[0]) else { throw .malformed }
        let count = (0..<4).reduce(0) { $0 | Int(head[$1 + 1]) << (8 * $1) }
        guard count <= Self.frameByteCountLimit else { throw .malformed }
        return (kind, try readExactly(count))
    }

    private func readExactly(_ count: Int) throws(ControlError) -> [UInt8] {
        var isLost = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = recv(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, 0)
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else {
                    isLost = true
                    return
                }
                filled += got
            }
        }
        if isLost { throw .connectionLost }
        return bytes
    }
}

extension Collection<UInt8> {
    /// The bytes in one buffer; typed throws pass through.
    fileprivate func withUnsafeBytesTyped(
        _ body: (UnsafeRawBufferPointer) throws(ControlError) -> Void
    ) throws(ControlError) {
        var failure: ControlError?
        Array(self).withUnsafeBytes { buffer in
            do throws(ControlError) { try body(buffer) } catch { failure = error }
        }
        if let failure { throw failure }
    }
}
