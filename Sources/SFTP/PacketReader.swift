/// Cuts a stream of bytes into packets. draft-ietf-secsh-filexfer-02 §3.
///
/// Holds one packet and what was appended behind it.
public struct PacketReader {
    /// Bytes of the longest packet that is taken, its length field apart. OpenSSH's bound too.
    public static let byteCountLimit = 256 << 10

    private var buffer: [UInt8] = []
    private var start = 0

    public init() {}

    public mutating func append(_ bytes: some Collection<UInt8>) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next packet without its length; nil until all of it is there.
    ///
    /// - Throws: `.oversized`; `.malformed` for one without any byte.
    public mutating func next() throws(SFTPError) -> ArraySlice<UInt8>? {
        guard buffer.count - start >= 4 else { return nil }
        let count = buffer[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
        guard count > 0 else { throw .malformed }
        guard count <= Self.byteCountLimit else { throw .oversized }
        guard buffer.count - start >= 4 + count else { return nil }
        let packet = buffer[start + 4..<start + 4 + count]
        start += 4 + count
        return packet
    }
}
