import Foundation
import Testing

@testable import Keys

/// The places a master key comes from.
@Suite struct MasterKeySourceTests {
    private let key: [UInt8] = (0..<32).map { UInt8($0 * 7) }
    private var digits: String { key.map { String(format: "%02x", $0) }.joined() }

    private func loaded(_ source: MasterKeySource) throws -> [UInt8] {
        try source.load(mayCreate: false).withUnsafeBytes { Array($0) }
    }

    private func descriptor(giving bytes: [UInt8]) throws -> Int32 {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SystemFailure("pipe") }
        #expect(write(ends[1], bytes, bytes.count) == bytes.count)
        close(ends[1])
        return ends[0]
    }

    /// A program that prints what is in a file.
    private func command(printing bytes: [UInt8], _ body: (MasterKeySource) throws -> Void) throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        try OpenFile(directory + "/out", flags: O_RDWR | O_CREAT).write(bytes, at: 0)
        try body(.command(["/bin/cat", directory + "/out"]))
    }

    @Test func readsEachFormOfText() {
        #expect(MasterKeySource("fd:3") == .descriptor(3))
        #expect(MasterKeySource("command:/usr/bin/kms get  key") == .command(["/usr/bin/kms", "get", "key"]))
        #expect(MasterKeySource("/etc/key") == .file(path: "/etc/key"))
        #expect(MasterKeySource("file:/etc/key") == .file(path: "/etc/key"))
        #expect(MasterKeySource("credential:key", credentials: "/run/c") == .file(path: "/run/c/key"))
        for text in [
            "", "fd:", "fd:-1", "fd:x", "command:", "command:kms", "file:", "credential:", "credential:../x",
        ] { #expect(MasterKeySource(text, credentials: "/run/c") == nil, "\(text)") }
        #expect(MasterKeySource("credential:key", credentials: nil) == nil)
        #expect(MasterKeySource(String(repeating: "/", count: MasterKeySource.textByteCountLimit)) != nil)
        #expect(MasterKeySource(String(repeating: "/", count: MasterKeySource.textByteCountLimit + 1)) == nil)
    }

    @Test func refusesAPathOfTwoLines() {
        #expect(MasterKeySource("/keys/one\n/keys/two") == nil)
    }

    @Test func doesNotTellTheArgumentsOfACommand() {
        #expect(MasterKeySource.command(["/bin/kms", "--token=secret"]).description == "command /bin/kms")
    }

    @Test func takesRawBytesOrHexadecimalDigitsFromADescriptor() throws {
        for given in [key, Array(digits.utf8), Array((digits + "\n").utf8), Array(("  " + digits.uppercased()).utf8)] {
            #expect(try loaded(.descriptor(try descriptor(giving: given))) == key)
        }
    }

    @Test func takesRawBytesOrHexadecimalDigitsFromACommand() throws {
        for given in [key, Array((digits + "\n").utf8)] {
            try command(printing: given) { source in
                let found = try loaded(source)
                #expect(found == key)
            }
        }
    }

    @Test(arguments: [0, 31, 33, 63, 65, 4096, 4097, 100_000]) func refusesAnythingThatIsNoKey(count: Int) throws {
        let bytes = [UInt8](repeating: 0x61, count: count)
        try command(printing: bytes) { source in
            do {
                _ = try loaded(source)
                Issue.record("took \(count) bytes for a key")
            } catch KeyError.masterRefused(let named, let why) {
                #expect(named == "command /bin/cat")
                #expect(why.contains("more than") == (count > MasterKeySource.byteCountLimit))
            }
        }
    }

    @Test func refusesACommandThatFailsOrIsMissingOrPrintsTheKeyAndFails() throws {
        let failing = MasterKeySource.command(["/bin/sh", "-c", "printf \(digits); exit 3"])
        for source in [.command(["/bin/false"]), .command(["/no/such/program"]), failing] as [MasterKeySource] {
            #expect(throws: KeyError.self) { try loaded(source) }
        }
    }

    @Test func endsACommandThatTakesTooLong() throws {
        let marker = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(marker) }
        #expect(throws: KeyError.masterRefused(source: "command /bin/sleep", why: "it takes too long")) {
            _ = try MasterKeyPipe.run(["/bin/sleep", "600"], timeLimit: 50)
        }
        // One that closes its output and goes on is ended too.
        #expect(throws: KeyError.self) {
            _ = try MasterKeyPipe.run(["/bin/sh", "-c", "printf \(digits); exec 1>&-; sleep 600"], timeLimit: 300)
        }
    }

    @Test func opensAStoreByACommandAndRotatesToWhatItGivesNext() throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        let file = directory + "/kms"
        try MasterKeyFile.write(try SymmetricKey.random(), to: file)
        let source = MasterKeySource.command(["/bin/cat", file])
        let store = try KeyStore.open(directory: directory + "/keys", master: source)
        let id = try store.createStudyKey().id
        #expect(access(directory + "/keys/master.key", F_OK) != 0)
        #expect(throws: KeyError.self, "it still gives the key in use") { try store.rotate() }
        try MasterKeyFile.write(try SymmetricKey.random(), to: file)
        let rotation = try store.rotate()
        #expect(rotation.generation == 2 && !rotation.isOldKeyDestroyed)
        _ = try KeyStore.open(directory: directory + "/keys", master: source).key(id)
    }

    @Test func refusesToRotateToACommandThatGivesAnotherKeyEachTime() throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        let store = try KeyStore.open(directory: directory)
        let id = try store.createStudyKey().id
        #expect(throws: KeyError.self) {
            try store.rotate(to: .command(["/usr/bin/head", "-c", "32", "/dev/urandom"]))
        }
        _ = try KeyStore.open(directory: directory).key(id)
    }

    @Test func asksForANameWhenTheKeyCameFromADescriptor() throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        let store = try KeyStore.open(
            directory: directory + "/keys", master: .descriptor(try descriptor(giving: key)))
        let id = try store.createStudyKey().id
        #expect(throws: KeyError.self) { try store.rotate() }
        let rotation = try store.rotate(to: .file(path: directory + "/new.key"))
        #expect(!rotation.isOldKeyDestroyed)
        _ = try KeyStore.open(directory: directory + "/keys", master: .file(path: directory + "/new.key")).key(id)
        #expect(throws: KeyError.masterDiffers) {
            try KeyStore.open(directory: directory + "/keys", master: .descriptor(try descriptor(giving: key)))
        }
    }

    @Test func knowsWhetherTheKeyIsOnTheDiskOfTheData() throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        let store = try KeyStore.open(directory: directory + "/keys")
        #expect(store.isMasterKeyOnDisk(of: directory))
        #expect(!store.isMasterKeyOnDisk(of: "/proc"))
        #expect(!MasterKeySource.descriptor(0).isOnDisk(of: directory))
    }
}
