import Glibc

/// Entries behind a head, in pieces of 64 KiB: length, sealed bytes, tag. Each piece is bound to the head, to its number
/// and to whether it is the last, so a file that was cut, or put together from two, does not open.
struct BackupWriter {
    static let pieceByteCount = 64 << 10

    private let file: OpenFile
    private let cipher: AuthenticatedCipher
    private let binding: [UInt8]
    private var pending: [UInt8] = []
    private var number: UInt64 = 0
    private var end: UInt64

    /// Begins a file that must not be there yet.
    init(_ path: String, head: BackupHead, key: SymmetricKey) throws(KeyError) {
        file = try KeyError.wrapping { () throws(SystemFailure) in
            try OpenFile(path, flags: O_RDWR | O_CREAT | O_EXCL)
        }
        let bytes = head.encoded
        let file = file
        try KeyError.wrapping { () throws(SystemFailure) in try file.write(bytes, at: 0) }
        end = UInt64(bytes.count)
        binding = try BackupPiece.binding(bytes)
        cipher = try AuthenticatedCipher()
        try cipher.load(try key.derived(for: "huizhen key backup content 1"), for: .sealing)
    }

    mutating func append(_ entry: BackupEntry) throws(KeyError) {
        entry.append(to: &pending)
        if pending.count >= Self.pieceByteCount - BackupEntry.byteCountLimit { try flush(isLast: false) }
    }

    /// Writes the last piece and returns once the file survives a power cut.
    mutating func finish() throws(KeyError) {
        try flush(isLast: true)
        let file = file
        try KeyError.wrapping { () throws(SystemFailure) in try file.sync() }
    }

    private mutating func flush(isLast: Bool) throws(KeyError) {
        let (plain, number, cipher) = (pending, number, cipher)
        var sealed = [UInt8](repeating: 0, count: 4 + plain.count + AuthenticatedCipher.tagByteCount)
        sealed.store(UInt32(plain.count).littleEndian, at: 0)
        try BackupPiece.associated(binding, number, isLast).withRawBytes { (associated) throws(KeyError) in
            try plain.withRawBytes { (bytes) throws(KeyError) in
                try sealed.withMutableRawBytes { (output) throws(KeyError) in
                    guard let base = output.baseAddress else { return }
                    try cipher.seal(
                        bytes, nonce: .init(stream: 0, number: number), associated: associated, into: base + 4)
                }
            }
        }
        let (file, end) = (file, end)
        try KeyError.wrapping { () throws(SystemFailure) in try file.write(sealed, at: end) }
        self.end += UInt64(sealed.count)
        self.number += 1
        pending = []
    }
}

/// Reads what `BackupWriter` wrote, piece by piece.
struct BackupReader {
    let head: BackupHead
    private let path: String
    private let file: OpenFile
    private let binding: [UInt8]

    /// - Throws: `.backup` if this is no key backup; `.exposed` if others can read it; `.io`.
    init(_ path: String) throws(KeyError) {
        self.path = path
        let file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDONLY) }
        self.file = file
        let status = try KeyError.wrapping { () throws(SystemFailure) in try file.status() }
        guard status.st_mode & 0o077 == 0 else { throw .exposed(path: path) }
        let bytes = try KeyError.wrapping { () throws(SystemFailure) in
            try file.read(count: BackupHead.byteCount, at: 0)
        }
        guard let head = BackupHead(bytes) else { throw .backup(path: path, why: "this is no key backup") }
        self.head = head
        binding = try BackupPiece.binding(bytes)
    }

    /// Gives every entry.
    ///
    /// - Throws: `.backup` where the file is not what was written; entries before have been given by then.
    func each(key: SymmetricKey, _ body: (BackupEntry) throws(KeyError) -> Void) throws(KeyError) {
        let cipher = try AuthenticatedCipher()
        try cipher.load(try key.derived(for: "huizhen key backup content 1"), for: .opening)
        let byteCount = try KeyError.wrapping { () throws(SystemFailure) in try file.byteCount() }
        var offset = UInt64(BackupHead.byteCount)
        var number: UInt64 = 0
        var isLast = false
        while !isLast {
            let plain = try piece(at: &offset, number, byteCount: byteCount, cipher, isLast: &isLast)
            number += 1
            var place = 0
            while place < plain.count {
                guard let (entry, next) = BackupEntry.read(plain, at: place) else { throw damaged }
                try body(entry)
                place = next
            }
        }
    }

    private var damaged: KeyError { .backup(path: path, why: "it is damaged or was cut short: use another") }

    private func piece(
        at offset: inout UInt64, _ number: UInt64, byteCount: UInt64, _ cipher: AuthenticatedCipher, isLast: inout Bool
    ) throws(KeyError) -> [UInt8] {
        let start = offset
        let length = try KeyError.wrapping { () throws(SystemFailure) in try file.read(count: 4, at: start) }
        guard length.count == 4 else { throw damaged }
        let count = Int(UInt32(littleEndian: length.integer(at: 0)))
        guard count <= BackupWriter.pieceByteCount else { throw damaged }
        let sealed = try KeyError.wrapping { () throws(SystemFailure) in
            try file.read(count: count + AuthenticatedCipher.tagByteCount, at: start + 4)
        }
        guard sealed.count == count + AuthenticatedCipher.tagByteCount else { throw damaged }
        offset = start + 4 + UInt64(sealed.count)
        isLast = offset == byteCount
        // One byte more than needed: an empty array has no address to write to.
        var plain = [UInt8](repeating: 0, count: count + 1)
        do throws(KeyError) {
            try BackupPiece.associated(binding, number, isLast).withRawBytes { (associated) throws(KeyError) in
                try sealed.withRawBytes { (bytes) throws(KeyError) in
                    try plain.withMutableRawBytes { (output) throws(KeyError) in
                        guard let source = bytes.baseAddress, let base = output.baseAddress else { return }
                        try cipher.open(
                            UnsafeRawBufferPointer(start: source, count: count), tag: source + count,
                            nonce: .init(stream: 0, number: number), associated: associated, into: base)
                    }
                }
            }
        } catch {
            if error == .refused { throw damaged }
            throw error
        }
        plain.removeLast()
        return plain
    }
}

private enum BackupPiece {
    /// What ties a piece to its file's head.
    static func binding(_ head: [UInt8]) throws(KeyError) -> [UInt8] {
        let digest = try SHA256Digest()
        try head.withRawBytes { (bytes) throws(KeyError) in try digest.update(bytes) }
        return try digest.finish()
    }

    static func associated(_ binding: [UInt8], _ number: UInt64, _ isLast: Bool) -> [UInt8] {
        var bytes = binding + [UInt8](repeating: 0, count: 9)
        bytes.store(number.littleEndian, at: binding.count)
        bytes[binding.count + 8] = isLast ? 1 : 0
        return bytes
    }
}
