import Access
import Archive
import Keys
import Release
import SFTP
import Testing

@testable import FileChannel

/// What is said before SFTP begins.
struct FileGreetingTests {
    private func read(_ bytes: [UInt8]) -> FileGreeting? {
        var rest = bytes[...]
        return FileGreeting { count in
            guard rest.count >= count else { return nil }
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
    }

    @Test func readsWhatItWrites() throws {
        for greeting in [
            FileGreeting(subject: "", address: ""), FileGreeting(subject: "north", address: "2001:db8::1"),
            FileGreeting(subject: String(repeating: "n", count: 255), address: "x"),
        ] { #expect(read(try #require(greeting.encoded)) == greeting) }
        #expect(FileGreeting(subject: String(repeating: "n", count: 256), address: "").encoded == nil)
    }

    @Test func readsNothingElse() {
        for bytes: [UInt8] in [
            [], Array("HZF2".utf8) + [0, 0], Array("HZF1".utf8) + [1], Array("HZF1".utf8) + [0, 2, 65],
            Array("HZF1".utf8) + [1, 0xFF, 0], Array("{\"st".utf8), [0, 0, 0, 5, 1, 0, 0, 0, 3],
        ] { #expect(read(bytes) == nil, "\(bytes)") }
    }

    @Test func tellsHowLongARefusalIs() {
        let refusal = FileGreeting.refusal(String(repeating: "x", count: 2000))
        #expect(refusal.count == FileGreeting.answerHeadByteCount + FileGreeting.refusalByteCountLimit)
        #expect(FileGreeting.refusalByteCount(Array(refusal.prefix(3))) == FileGreeting.refusalByteCountLimit)
        #expect(FileGreeting.refusalByteCount(FileGreeting.welcome) == 0)
        for head: [UInt8] in [[], [0], [2, 0, 0], [0, 0, 1], [1, 0x03, 0xE9], [1, 0xFF, 0xFF]] {
            #expect(FileGreeting.refusalByteCount(head) == nil, "\(head)")
        }
    }
}

/// Names of what is shown, and the table that explains them.
struct ShownNameTests {
    @Test func areTheSameForTheSameAndOthersForEverythingElse() throws {
        let key = try SymmetricKey.random()
        let names = OpaqueNames(key: key)
        let one = try names.name(.study, "1.2.3", isMasked: false, for: "North")
        #expect(try OpaqueNames(key: key).name(.study, "1.2.3", isMasked: false, for: "North") == one)
        let others = [
            try names.name(.study, "1.2.4", isMasked: false, for: "North"),
            try names.name(.study, "1.2.3", isMasked: true, for: "North"),
            try names.name(.study, "1.2.3", isMasked: false, for: "South"),
            try names.name(.series, "1.2.3", isMasked: false, for: "North"),
            try OpaqueNames(key: try SymmetricKey.random()).name(.study, "1.2.3", isMasked: false, for: "North"),
        ]
        #expect(Set(others + [one]).count == 6)
    }

    @Test func writesLinesThatNoSpreadsheetTakesForFormulas() {
        #expect(StudyIndex.line(["a", "", "7"]) == "a,,7\r\n")
        #expect(StudyIndex.line(["a,b", "say \"x\"", "two words"]) == "\"a,b\",\"say \"\"x\"\"\",\"two words\"\r\n")
        for value in ["=1+1", "+1", "-1", "@x", "\tx"] {
            #expect(StudyIndex.line([value]).hasPrefix("\"'"), "\(value)")
        }
        #expect(StudyIndex.line(["a\r\nb\nc\0d"]) == "abcd\r\n")
        #expect(StudyIndex.line(["苏^晚晴"]) == "苏^晚晴\r\n")
    }
}

/// What clients are told.
struct FileFailureTests {
    @Test func saysNothingOfWhatFailed() {
        #expect(FileFailure(ArchiveError.full).status == .failure)
        #expect(FileFailure(ArchiveError.notFound).status == .noSuchFile)
        #expect(FileFailure(Denial.refused("the rule of a hospital")).status == .permissionDenied)
        #expect(!FileFailure(Denial.refused("the rule of a hospital")).text.contains("hospital"))
        #expect(FileFailure(ReleaseError.archive(.full)).text == FileFailure(ArchiveError.full).text)
        #expect(FileFailure(ReleaseError.unknownProject(name: "heart", reason: "gone")).text.contains("heart") == false)
        #expect(FileFailure(ArchiveError.damaged).text.contains("log"))
    }
}

/// Bytes of a file at any place.
struct FileDownloadTests {
    private struct Content: FileContent {
        let bytes: [UInt8]
        var byteCount: UInt64 { UInt64(bytes.count) }

        func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
            guard Int(offset) + buffer.count <= bytes.count else { throw ArchiveError.damaged }
            buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + buffer.count])
        }
    }

    @Test func givesEveryRangeOfHeadAndContent() throws {
        let (head, content) = (Array<UInt8>(0..<10), Array<UInt8>(10..<30))
        let download = FileDownload(head: head, Content(bytes: content)) {}
        #expect(download.byteCount == 30)
        for offset in 0...32 {
            for count in 0...32 {
                let expected = (head + content).dropFirst(offset).prefix(count)
                #expect(try download.read(offset: UInt64(offset), byteCount: count) == Array(expected))
            }
        }
        #expect(try download.read(offset: .max, byteCount: .max).isEmpty)
    }
}
