import Glibc
import Synchronization

/// Conversion between UTF-8 and another encoding by glibc.
///
/// A descriptor carries state and serves one thread at a time, so idle ones are pooled. Any thread may call.
enum Iconv {
    /// Idle descriptors kept of each direction of each encoding.
    static let idleLimit = 4

    private static let idle = Mutex<[String: [Descriptor]]>([:])

    /// UTF-8, with the replacement character for what cannot be read.
    static func decode(_ bytes: UnsafeRawBufferPointer, from encoding: String, to output: inout [UInt8]) {
        let isWhole = convert(bytes, to: "UTF-8", from: encoding, output: &output, isLenient: true)
        if !isWhole { output += UTF8Text.replacement }
    }

    /// Whether every byte can be read.
    static func canDecode(_ bytes: UnsafeRawBufferPointer, from encoding: String) -> Bool {
        var output: [UInt8] = []
        return convert(bytes, to: "UTF-8", from: encoding, output: &output, isLenient: false)
    }

    /// The other encoding, nil when it lacks a character.
    static func encode(_ utf8: UnsafeRawBufferPointer, to encoding: String) -> [UInt8]? {
        var output: [UInt8] = []
        return convert(utf8, to: encoding, from: "UTF-8", output: &output, isLenient: false) ? output : nil
    }

    private static func convert(
        _ bytes: UnsafeRawBufferPointer, to target: String, from source: String, output: inout [UInt8],
        isLenient: Bool
    ) -> Bool {
        guard let stream = Stream(to: target, from: source) else { return false }
        let isWhole = stream.convert(bytes, output: &output, isLenient: isLenient)
        return stream.finish(output: &output, isLenient: isLenient) && isWhole
    }

    /// A conversion that takes its bytes in pieces of any size: the same comes out as of all of them at once. Used by
    /// one thread.
    final class Stream {
        private let direction: String
        private let descriptor: Descriptor
        /// The beginning of a character that was cut.
        private var carry: [UInt8] = []

        /// Nil when there is no memory, or no such encoding.
        init?(to target: String = "UTF-8", from source: String) {
            let direction = target + "<" + source
            self.direction = direction
            let pooled = idle.withLock { $0[direction]?.popLast() }
            guard let descriptor = pooled ?? Descriptor(to: target, from: source) else { return nil }
            self.descriptor = descriptor
            descriptor.reset()
        }

        deinit {
            idle.withLock { idle in
                if idle[direction, default: []].count < idleLimit { idle[direction, default: []].append(descriptor) }
            }
        }

        /// Returns false at what cannot be read: without lenience the rest is then left out, else U+FFFD stands for it.
        func convert(_ bytes: UnsafeRawBufferPointer, output: inout [UInt8], isLenient: Bool) -> Bool {
            if carry.isEmpty { return run(bytes, output: &output, isLenient: isLenient) }
            let joined = carry + bytes
            carry = []
            return joined.withUnsafeBytes { run($0, output: &output, isLenient: isLenient) }
        }

        private func run(_ bytes: UnsafeRawBufferPointer, output: inout [UInt8], isLenient: Bool) -> Bool {
            descriptor.convert(bytes, output: &output, rest: &carry, isLenient: isLenient)
        }

        /// Returns false when the last character is not whole.
        func finish(output: inout [UInt8], isLenient: Bool) -> Bool {
            if carry.isEmpty { return true }
            carry = []
            if isLenient { output += UTF8Text.replacement }
            return isLenient
        }
    }

    /// Unchecked: the pool hands a descriptor to one thread at a time.
    private final class Descriptor: @unchecked Sendable {
        private let descriptor: iconv_t

        init?(to target: String, from source: String) {
            guard let opened = iconv_open(target, source), opened != iconv_t(bitPattern: -1) else { return nil }
            descriptor = opened
        }

        deinit { iconv_close(descriptor) }

        func reset() { _ = iconv(descriptor, nil, nil, nil, nil) }

        /// - Parameter rest: gets the beginning of a character at the end.
        func convert(
            _ bytes: UnsafeRawBufferPointer, output: inout [UInt8], rest: inout [UInt8], isLenient: Bool
        ) -> Bool {
            var isWhole = true
            // iconv does not write to its input, though its type says it may.
            var input = UnsafeMutablePointer(mutating: bytes.bindMemory(to: CChar.self).baseAddress)
            var inputCount = bytes.count
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
                while inputCount > 0 {
                    var target = buffer.baseAddress
                    var room = buffer.count
                    let result = iconv(descriptor, &input, &inputCount, &target, &room)
                    let failure = errno
                    output += UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<(buffer.count - room)])
                    if result != Int(bitPattern: UInt.max) { continue }
                    if failure == E2BIG { continue }
                    if failure == EINVAL {
                        rest = Array(bytes.suffix(inputCount))
                        return
                    }
                    guard isLenient else {
                        isWhole = false
                        return
                    }
                    output += UTF8Text.replacement
                    input = input.map { $0 + 1 }
                    inputCount -= 1
                }
            }
            return isWhole
        }
    }
}
