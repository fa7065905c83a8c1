import Glibc

/// Finds one sequence of bytes in others.
public struct ByteSearch: Sendable {
    public let needle: [UInt8]

    /// - Parameter needle: at least one byte.
    public init(_ needle: [UInt8]) { self.needle = needle }

    /// Where it first begins, counted from the buffer's first byte, at `start` or later.
    public func first(in buffer: UnsafeRawBufferPointer, from start: Int = 0) -> Int? {
        guard let base = buffer.baseAddress, let first = needle.first else { return nil }
        var index = start
        while index + needle.count <= buffer.count {
            let room = buffer.count - index - needle.count + 1
            guard let found = memchr(base + index, Int32(first), room) else { return nil }
            index = UnsafeRawPointer(found) - base
            if memcmp(base + index, needle, needle.count) == 0 { return index }
            index += 1
        }
        return nil
    }
}
