import Foundation
import Glibc
import Loading
import Testing

@testable import Benchmarking

/// Answers one connection with bytes made before, and closes it.
private func serving(_ text: String, _ body: (Int) throws -> Void) throws {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(socket) }
    var address = SocketAddress.loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = bind(socket, $0, length)
            _ = getsockname(socket, $0, &length)
        }
    }
    listen(socket, 1)
    Thread.detachNewThread {
        let peer = accept(socket, nil, nil)
        var bytes = [UInt8](repeating: 0, count: 4096)
        _ = recv(peer, &bytes, bytes.count, 0)
        _ = send(peer, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        close(peer)
    }
    try body(Int(UInt16(bigEndian: address.sin_port)))
}

private func answers(_ text: String, keeping: Bool = true) throws -> [WebConnection.Answer] {
    var found: [WebConnection.Answer] = []
    try serving(text) { port in
        let connection = try WebConnection(port: port)
        found.append(try connection.ask(Array("GET / HTTP/1.1\r\n\r\n".utf8), keeping: keeping))
        if text.contains("304") { found.append(try connection.answer()) }
    }
    return found
}

@Test func countsABodyOfKnownLength() throws {
    let answer = try #require(
        try answers("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"a\"\r\n\r\nhello").first)
    #expect(answer.status == 200 && answer.byteCount == 5 && answer.entityTag == "\"a\"")
    #expect(answer.body == Array("hello".utf8))
}

@Test func countsAChunkedBodyWithoutItsFraming() throws {
    let answer = try #require(
        try answers("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n")
            .first)
    #expect(answer.byteCount == 13 && answer.body == Array("abc0123456789".utf8))
}

@Test func countsABodyThatEndsWithTheConnection() throws {
    let answer = try #require(try answers("HTTP/1.1 200 OK\r\n\r\nhello", keeping: false).first)
    #expect(answer.byteCount == 5 && answer.body.isEmpty)
}

@Test func readsAnUnchangedAnswerAndTheOneBehindIt() throws {
    let found = try answers("HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    #expect(found.map(\.status) == [304, 200])
    #expect(found.last?.byteCount == 2)
}

@Test func takesNothingButAnswers() {
    #expect(throws: BenchError.self) { try answers("SSH-2.0-x\r\n") }
}

@Test func namesThePatientOfEveryStudy() {
    let patients = (0..<20_000).map(StudyMaker.patientID(ofStudy:))
    // Behind the first thousand, three of ten are a patient's second.
    let second = patients.indices.filter { $0 >= 1010 && $0 % 10 >= 7 }
    #expect(Set(patients).count == patients.count - second.count)
    #expect(second.allSatisfy { patients[$0] == patients[$0 - 5] })
}
