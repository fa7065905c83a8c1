import HTTP
import Testing

struct MultipartReaderTests {
    private struct Part: Equatable {
        var head: [String: String]
        var data: [UInt8]
    }

    /// Feeds a body in pieces of one size.
    private func read(_ body: String, boundary: String = "b", pieces: Int) throws -> [Part] {
        var reader = try MultipartReader(boundary: boundary)
        var parts: [Part] = []
        var endedCount = 0
        let bytes = Array(body.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            try bytes[start..<min(start + pieces, bytes.count)].withUnsafeBytes { piece in
                try reader.feed(piece) { event in
                    switch event {
                    case .head(let fields): parts.append(Part(head: fields, data: []))
                    case .data(let data): parts[parts.count - 1].data += data
                    case .end: endedCount += 1
                    }
                }
            }
        }
        try reader.finish()
        #expect(endedCount == parts.count)
        return parts
    }

    @Test(arguments: [1, 2, 3, 5, 7, 1000])
    func readsPartsInPiecesOfAnySize(_ pieces: Int) throws {
        let body =
            "preamble\r\n--b\r\nContent-Type: application/dicom\r\nX-A:  1\r\n\r\nab\r\n-c\r\n--\r\nd\r\n--b \t\r\n\r\n"
            + "\r\n--b\r\nA: 1\r\n\r\n\r\n\r\n--b--\r\nepilogue --b"
        let parts = try read(body, pieces: pieces)
        #expect(
            parts == [
                Part(head: ["content-type": "application/dicom", "x-a": "1"], data: Array("ab\r\n-c\r\n--\r\nd".utf8)),
                Part(head: [:], data: []), Part(head: ["a": "1"], data: Array("\r\n".utf8)),
            ])
    }

    @Test func beginsWithABoundaryAtOnce() throws {
        #expect(try read("--b\r\n\r\nx\r\n--b--", pieces: 4).map(\.data) == [Array("x".utf8)])
    }

    @Test(arguments: ["", "--b\r\n\r\nx", "--b\r\n\r\nx\r\n--b", "--b\r\n\r\nx\r\n--b-", "no boundary"])
    func saysThatABodyIsCut(_ body: String) {
        #expect(throws: MultipartReader.Failure.self) { try read(body, pieces: 3) }
    }

    @Test(arguments: ["--b\r\nno colon\r\n\r\n", "--b\r\nA: 1\r\nA: 2\r\n\r\n", "--bx\r\n\r\n", "--b\r\n: x\r\n\r\n"])
    func refusesHeadsThatAreNone(_ body: String) {
        #expect(throws: MultipartReader.Failure.self) { try read(body, pieces: 1000) }
    }

    @Test func boundsTheHeadOfAPart() throws {
        let room = MultipartReader.headByteCountLimit - 2 - "A: ".utf8.count
        let fitting = "--b\r\nA: \(String(repeating: "x", count: room))\r\n\r\n\r\n--b--"
        #expect(try read(fitting, pieces: 100).count == 1)
        let tooLong = "--b\r\nA: \(String(repeating: "x", count: room + 1))\r\n\r\n\r\n--b--"
        #expect(throws: MultipartReader.Failure.self) { try read(tooLong, pieces: 100) }
        #expect(throws: MultipartReader.Failure.self) {
            try read("--b\r\n" + String(repeating: "x", count: 100_000), pieces: 1000)
        }
    }

    @Test func takesBoundariesThatAreLongerThanTheyMayBe() throws {
        let boundary = String(repeating: "b", count: MultipartReader.boundaryByteCountLimit)
        #expect(throws: Never.self) { try MultipartReader(boundary: boundary) }
    }

    @Test(arguments: [
        "", String(repeating: "b", count: MultipartReader.boundaryByteCountLimit + 1), "a\r\nb", "ends with a space ",
    ])
    func refusesBoundariesThatAreNone(_ boundary: String) {
        #expect(throws: MultipartReader.Failure.self) { try MultipartReader(boundary: boundary) }
    }
}
