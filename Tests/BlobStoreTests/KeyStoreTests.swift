import Glibc
import Testing

@testable import Keys

/// The key hierarchy on disk.
@Suite struct KeyStoreTests {
    private func bytes(_ key: SymmetricKey) -> [UInt8] { key.withUnsafeBytes { Array($0) } }

    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        try body(directory)
    }

    @Test func keepsAStudyKeyAcrossARestart() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let (id, ticket) = try store.createStudyKey()
            try ticket.wait()
            let before = bytes(try store.key(id))
            let after = bytes(try KeyStore.open(directory: directory).key(id))
            #expect(before == after)
            #expect(before.count == 32 && before != [UInt8](repeating: 0, count: 32))
        }
    }

    @Test func makesAMasterKeyThatOnlyItsOwnerCanRead() throws {
        try withDirectory { directory in
            _ = try KeyStore.open(directory: directory)
            let status = try OpenFile(directory + "/master.key", flags: O_RDONLY).status()
            #expect(status.st_mode & 0o777 == 0o600)
            #expect(status.st_size == 32)
        }
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o620] as [mode_t])
    func refusesAMasterKeyThatOthersCanRead(mode: mode_t) throws {
        try withDirectory { directory in
            _ = try KeyStore.open(directory: directory)
            chmod(directory + "/master.key", mode)
            #expect(throws: KeyError.exposed(path: directory + "/master.key")) {
                try KeyStore.open(directory: directory)
            }
            #expect(KeyError.exposed(path: "k").description.contains("chmod 600"))
        }
    }

    @Test(arguments: [0, 31, 33]) func refusesAMasterKeyOfAnotherLength(count: Int) throws {
        try withDirectory { directory in
            let path = directory + "/other.key"
            let file = try OpenFile(path, flags: O_RDWR | O_CREAT)
            try file.write([UInt8](repeating: 7, count: count), at: 0)
            #expect(throws: KeyError.masterUnreadable(path: path, byteCount: count)) {
                try KeyStore.open(directory: directory + "/keys", master: .file(path: path))
            }
        }
    }

    @Test func doesNotReplaceAMasterKeyThatIsMissing() throws {
        try withDirectory { directory in
            _ = try KeyStore.open(directory: directory).createStudyKey()
            unlink(directory + "/master.key")
            #expect(throws: KeyError.masterMissing(path: directory + "/master.key")) {
                try KeyStore.open(directory: directory)
            }
        }
    }

    @Test func refusesAnotherMasterKey() throws {
        try withDirectory { directory in
            _ = try KeyStore.open(directory: directory)
            let file = try OpenFile(directory + "/master.key", flags: O_RDWR)
            try file.write([UInt8](repeating: 9, count: 32), at: 0)
            #expect(throws: KeyError.masterDiffers) { try KeyStore.open(directory: directory) }
        }
    }

    @Test func dropsAnUnfinishedLastRecordAndWritesOverIt() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let kept = try store.createStudyKey()
            let torn = try store.createStudyKey()
            try torn.ticket.wait()
            let file = try OpenFile(directory + "/studies.keys", flags: O_RDWR)
            // The second record lies at 256; only its first 50 bytes reached the disk.
            try file.write([UInt8](repeating: 0, count: 78), at: 256 + 50)
            let second = try KeyStore.open(directory: directory)
            #expect(second.studyKeyCount == 1)
            _ = try second.key(kept.id)
            #expect(throws: KeyError.unknown) { try second.key(torn.id) }
            let third = try second.createStudyKey()
            try third.ticket.wait()
            #expect(try KeyStore.open(directory: directory).studyKeyCount == 2)
        }
    }

    @Test(arguments: [128, 129, 200, 255, 256, 257, 383]) func opensAFileCutAnywhereAfterItsHead(byteCount: UInt64)
        throws
    {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            for _ in 0..<3 { try store.createStudyKey().ticket.wait() }
            try OpenFile(directory + "/studies.keys", flags: O_RDWR).truncate(to: byteCount)
            let reopened = try KeyStore.open(directory: directory)
            #expect(reopened.studyKeyCount == Int(byteCount / 128) - 1)
            let (id, ticket) = try reopened.createStudyKey()
            try ticket.wait()
            let again = try KeyStore.open(directory: directory)
            #expect(again.studyKeyCount == Int(byteCount / 128))
            _ = try again.key(id)
        }
    }

    @Test(arguments: [0, 5, 8, 23, 24, 36, 83, 100, 124, 127]) func namesTheOffsetOfADamagedRecord(byte: UInt64) throws
    {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            for _ in 0..<3 { try store.createStudyKey().ticket.wait() }
            let path = directory + "/studies.keys"
            let file = try OpenFile(path, flags: O_RDWR)
            let place = 256 + byte
            let old = try file.read(count: 1, at: place)[0]
            try file.write([old ^ 1], at: place)
            #expect(throws: KeyError.damaged(file: path, byteOffset: 256)) { try KeyStore.open(directory: directory) }
        }
    }

    @Test func namesTheOffsetOfARecordThatWasWipedBeforeOthers() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            for _ in 0..<3 { try store.createStudyKey().ticket.wait() }
            let path = directory + "/studies.keys"
            try OpenFile(path, flags: O_RDWR).write([UInt8](repeating: 0, count: 128), at: 256)
            #expect(throws: KeyError.damaged(file: path, byteOffset: 256)) { try KeyStore.open(directory: directory) }
        }
    }

    @Test func refusesAWrappedKeyMovedToAnotherStudy() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let first = try store.createStudyKey()
            let second = try store.createStudyKey()
            try second.ticket.wait()
            let file = try OpenFile(directory + "/studies.keys", flags: O_RDWR)
            let wrapped = StudyKeyRecord.read(try file.read(count: 128, at: 128)[...])
            guard case .record(let record) = wrapped else { throw KeyError.unknown }
            let forged = StudyKeyRecord(id: second.id, state: .live, wrappedKey: record.wrappedKey)
            try file.write(forged.encoded, at: 256)
            let reopened = try KeyStore.open(directory: directory)
            _ = try reopened.key(first.id)
            #expect(throws: KeyError.refused) { try reopened.key(second.id) }
        }
    }

    @Test func forgetsADestroyedKeyForEver() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let (id, _) = try store.createStudyKey()
            let other = try store.createStudyKey()
            #expect(!store.isDestroyed(id))
            let secret = try OpenFile(directory + "/studies.keys", flags: O_RDONLY).read(count: 60, at: 128 + 24)
            try store.destroy(id)
            try store.destroy(id)
            #expect(throws: KeyError.destroyed) { try store.key(id) }
            let reopened = try KeyStore.open(directory: directory)
            #expect(reopened.isDestroyed(id) && !reopened.isDestroyed(other.id))
            #expect(throws: KeyError.destroyed) { try reopened.key(id) }
            _ = try reopened.key(other.id)
            let left = try OpenFile(directory + "/studies.keys", flags: O_RDONLY).read(count: 60, at: 128 + 24)
            #expect(left == [UInt8](repeating: 0, count: 60) && secret != left)
        }
    }

    @Test func doesNotKnowAKeyItNeverMade() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let id = try KeyID.random()
            #expect(throws: KeyError.unknown) { try store.key(id) }
            #expect(throws: KeyError.unknown) { try store.destroy(id) }
            #expect(!store.isDestroyed(id))
        }
    }

    @Test func keepsMoreKeysThanItsCacheHolds() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            var ids: [KeyID] = []
            for _ in 0...KeyCache.keyLimit { ids.append(try store.createStudyKey().id) }
            let first = bytes(try store.key(ids[0]))
            let reopened = try KeyStore.open(directory: directory)
            #expect(reopened.studyKeyCount == KeyCache.keyLimit + 1)
            #expect(bytes(try reopened.key(ids[0])) == first)
        }
    }

    @Test func boundsItsCache() throws {
        var cache = KeyCache()
        for _ in 0..<(3 * KeyCache.keyLimit) { cache.insert(try .random(), for: try .random()) }
        #expect(cache.count <= KeyCache.keyLimit)
    }

    @Test func derivesTheSameSystemKeyForTheSamePurpose() throws {
        try withDirectory { directory in
            let journal = bytes(try KeyStore.open(directory: directory).systemKey(purpose: "journal"))
            let reopened = try KeyStore.open(directory: directory)
            #expect(bytes(try reopened.systemKey(purpose: "journal")) == journal)
            #expect(bytes(try reopened.systemKey(purpose: "journal2")) != journal)
        }
    }

    @Test func lettsManyWaitersShareASync() async throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        let store = try KeyStore.open(directory: directory)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<50 { try store.createStudyKey().ticket.wait() } }
            }
            try await group.waitForAll()
        }
        #expect(try KeyStore.open(directory: directory).studyKeyCount == 400)
    }

    @Test func doesNotTellAPathlessSecretInItsErrors() {
        let errors: [KeyError] = [.unknown, .destroyed, .refused, .masterDiffers, .full(limit: 1)]
        for error in errors { #expect(!error.description.isEmpty) }
    }
}

/// Sealing as FIPS 197 and SP 800-38D define it.
@Suite struct AuthenticatedCipherTests {
    @Test func agreesWithAPublishedVector() throws {
        // GCM specification, test case 14: 256-bit key of zeros, nonce of zeros, one block of zeros.
        let key = try [UInt8](repeating: 0, count: 32).withUnsafeBytes { try #require(SymmetricKey(copying: $0)) }
        let cipher = try AuthenticatedCipher()
        try cipher.load(key, for: .sealing)
        var sealed = [UInt8](repeating: 0, count: 32)
        let zeros = [UInt8](repeating: 0, count: 16)
        try sealed.withUnsafeMutableBytes { output in
            try zeros.withUnsafeBytes { plaintext in
                try cipher.seal(
                    plaintext, nonce: .init(stream: 0, number: 0),
                    associated: UnsafeRawBufferPointer(start: nil, count: 0),
                    into: try #require(output.baseAddress))
            }
        }
        let expected: [UInt8] = [
            0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
            0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19,
        ]
        #expect(sealed == expected)
    }

    @Test func laysNoncesOutAsStreamAndNumber() throws {
        let key = try SymmetricKey.random()
        let cipher = try AuthenticatedCipher()
        let none = UnsafeRawBufferPointer(start: nil, count: 0)
        func seal(_ body: (UnsafeMutableRawPointer) throws -> Void) throws -> [UInt8] {
            var sealed = [UInt8](repeating: 0, count: 17)
            try cipher.load(key, for: .sealing)
            try sealed.withUnsafeMutableBytes { try body(try #require($0.baseAddress)) }
            return sealed
        }
        let byName = try seal { target in
            try [5].withUnsafeBytes {
                try cipher.seal(
                    UnsafeRawBufferPointer(rebasing: $0[..<1]),
                    nonce: .init(stream: 0x0102_0304, number: 0x0506_0708_090A_0B0C),
                    associated: none, into: target)
            }
        }
        let nonce = (1...12).map { UInt8($0) }
        let byBytes = try seal { target in
            try [5].withUnsafeBytes { plaintext in
                try nonce.withUnsafeBytes {
                    try cipher.seal(
                        UnsafeRawBufferPointer(rebasing: plaintext[..<1]), nonceBytes: $0, associated: none,
                        into: target)
                }
            }
        }
        #expect(byName == byBytes)
    }

    @Test func unwrapsOnlyForTheSamePurposeAndKey() throws {
        let (wrapping, key) = (try SymmetricKey.random(), try SymmetricKey.random())
        let cipher = try AuthenticatedCipher()
        func unwrap(_ wrapped: [UInt8], _ wrapping: SymmetricKey, _ purpose: [UInt8]) throws -> [UInt8] {
            try wrapped.withUnsafeBytes { wrapped in
                try purpose.withUnsafeBytes { purpose in
                    try cipher.unwrap(wrapped, by: wrapping, purpose: purpose).withUnsafeBytes { Array($0) }
                }
            }
        }
        let wrapped = try [1, 2].withUnsafeBytes { try cipher.wrap(key, by: wrapping, purpose: $0) }
        let purpose = [1, 2].withUnsafeBytes { Array($0) }
        #expect(wrapped.count == 60)
        #expect(try unwrap(wrapped, wrapping, purpose) == key.withUnsafeBytes { Array($0) })
        #expect(throws: KeyError.refused) { try unwrap(wrapped, try .random(), purpose) }
        #expect(throws: KeyError.refused) { try unwrap(wrapped, wrapping, [3]) }
        #expect(throws: KeyError.refused) { try unwrap(Array(wrapped.dropLast()), wrapping, purpose) }
        for index in wrapped.indices {
            var altered = wrapped
            altered[index] ^= 0x80
            #expect(throws: KeyError.refused) { try unwrap(altered, wrapping, purpose) }
        }
    }
}
