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
        let direction = target + "<" + source
        let pooled = idle.withLock { $0[direction]?.popLast() }
        guard let descriptor = pooled ?? Descriptor(to: target, from: source) else { return false }
        let isWhole = descriptor.convert(bytes, output: &output, isLenient: isLenient)
        idle.withLock { idle in
            if idle[direction, default: []].count < idleLimit { idle[direction, default: []].append(descriptor) }
        }
        return isWhole
    }

    /// Unchecked: the pool hands a descriptor to one thread at a time.
    private final class Descriptor: @unchecked Sendable {
        private let descriptor: iconv_t

        init?(to target: String, from source: String) {
            guard let opened = iconv_open(target, source), opened != iconv_t(bitPattern: -1) else { return nil }
            descriptor = opened
        }

        deinit { iconv_close(descriptor) }

        func convert(_ bytes: UnsafeRawBufferPointer, output: inout [UInt8], isLenient: Bool) -> Bool {
            _ = iconv(descriptor, nil, nil, nil, nil)
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
                    guard isLenient else {
                        isWhole = false
                        return
                    }
                    output += UTF8Text.replacement
                    if failure == EINVAL { return }
                    input = input.map { $0 + 1 }
                    inputCount -= 1
                }
            }
            return isWhole
        }
    }
}
