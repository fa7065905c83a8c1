import Glibc

/// Two connected sockets: what an input holds is written to one end, and the other is read by what is looked at.
struct SocketPair {
    /// Bytes that the kernel keeps for the reader, more than any input has.
    private static let bufferByteCount: CInt = 1 << 18

    let near: CInt
    private let far: CInt

    /// The near end finds `bytes` and then the end of the stream. Nil when the system has no sockets left.
    init?(sending bytes: ArraySlice<UInt8>) {
        var ends: [CInt] = [-1, -1]
        guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
        near = ends[0]
        far = ends[1]
        var size = Self.bufferByteCount
        setsockopt(far, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<CInt>.size))
        let flags = CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL)
        _ = bytes.withUnsafeBytes { send(ends[1], $0.baseAddress, $0.count, flags) }
        shutdown(far, CInt(SHUT_WR))
    }

    /// Closes the far end: whoever waits for it to close, or still writes, is told.
    func closeFar() { close(far) }
}
