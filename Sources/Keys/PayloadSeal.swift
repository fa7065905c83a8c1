import Synchronization

/// Seals values that may name somebody before a table takes them. AES-256-GCM under a random nonce. Any thread.
package final class PayloadSeal: Sendable {
    private static let tagByteCount = AuthenticatedCipher.tagByteCount
    private static let nonceByteCount = AuthenticatedCipher.nonceByteCount

    private let key: SymmetricKey
    private let cipher: Mutex<AuthenticatedCipher>

    package init(_ key: SymmetricKey) throws(KeyError) {
        self.key = key
        cipher = Mutex(try AuthenticatedCipher())
    }

    /// The nonce, the sealed bytes and the tag.
    ///
    /// - Parameter name: what the bytes belong to; opening must name it again.
    package func seal(_ payload: [UInt8], for name: String) throws(KeyError) -> [UInt8] {
        let nonce = try randomBytes(count: Self.nonceByteCount)
        var sealed = nonce + [UInt8](repeating: 0, count: payload.count + Self.tagByteCount)
        try cipher.withLock { (cipher) throws(KeyError) in
            try cipher.load(key, for: .sealing)
            try Array(name.utf8).withRawBytes { (associated) throws(KeyError) in
                try payload.withRawBytes { (plaintext) throws(KeyError) in
                    try nonce.withRawBytes { (nonceBytes) throws(KeyError) in
                        try sealed.withMutableRawBytes { (output) throws(KeyError) in
                            guard let base = output.baseAddress else { return }
                            try cipher.seal(
                                plaintext, nonceBytes: nonceBytes, associated: associated,
                                into: base + Self.nonceByteCount)
                        }
                    }
                }
            }
        }
        return sealed
    }

    /// - Throws: `.refused` for bytes that were altered or belong to something else.
    package func open(_ sealed: [UInt8], of name: String) throws(KeyError) -> [UInt8] {
        let count = sealed.count - Self.nonceByteCount - Self.tagByteCount
        guard count >= 0 else { throw .refused }
        // One byte more than needed: an empty array has no address to open to.
        var payload = [UInt8](repeating: 0, count: count + 1)
        try cipher.withLock { (cipher) throws(KeyError) in
            try cipher.load(key, for: .opening)
            try Array(name.utf8).withRawBytes { (associated) throws(KeyError) in
                try sealed.withRawBytes { (bytes) throws(KeyError) in
                    try payload.withMutableRawBytes { (output) throws(KeyError) in
                        guard let base = bytes.baseAddress, let target = output.baseAddress else { return }
                        let body = UnsafeRawBufferPointer(start: base + Self.nonceByteCount, count: count)
                        try cipher.open(
                            body, tag: base + Self.nonceByteCount + count,
                            nonceBytes: UnsafeRawBufferPointer(start: base, count: Self.nonceByteCount),
                            associated: associated, into: target)
                    }
                }
            }
        }
        payload.removeLast()
        return payload
    }
}
