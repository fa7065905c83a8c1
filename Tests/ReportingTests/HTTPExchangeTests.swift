import Testing

@testable import Reporting

/// Answers of servers of others, as they come and as they should not.
@Suite struct HTTPExchangeTests {
    /// Gives the bytes so many at a time, and then the end of the connection.
    private func read(_ text: String, limit: Int? = 100, piece: Int = 7) throws -> HTTPExchange.Answer {
        var reader = AnswerReader(byteCountLimit: limit)
        var rest = Array(text.utf8)[...]
        while !reader.isComplete {
            try reader.take(Array(rest.prefix(piece)))
            rest = rest.dropFirst(piece)
        }
        return try reader.answer()
    }

    @Test(arguments: [1, 7, 10_000]) func readsBodiesOfAllThreeKinds(_ piece: Int) throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n"
        for text in [
            head + "Content-Length: 11\r\n\r\nhello world and more",
            head + "Transfer-Encoding: chunked\r\n\r\n6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n",
            head + "\r\nhello world",
        ] {
            let answer = try read(text, piece: piece)
            #expect(answer.status == 200)
            #expect(answer.body == Array("hello world".utf8))
            #expect(answer.fields["content-type"] == "a/b")
        }
    }

    @Test func refusesAnAnswerThatIsNoneOrNotWhole() {
        for text in [
            "", "HTTP/1.1", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 x y\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nhello\r\n",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n",
        ] { #expect(throws: ReportingError.self, "\(text)") { try read(text) } }
    }

    @Test func keepsToItsBounds() throws {
        func body(_ count: Int) -> String { String(repeating: "x", count: count) }
        let head = "HTTP/1.1 200 OK\r\n"
        for (form, isWhole) in [(100, true), (101, false)] {
            let chunk = String(form, radix: 16)
            for text in [
                head + "Content-Length: \(form)\r\n\r\n" + body(form), head + "\r\n" + body(form),
                head + "Transfer-Encoding: chunked\r\n\r\n\(chunk)\r\n\(body(form))\r\n0\r\n\r\n",
            ] {
                if isWhole {
                    #expect(try read(text).body.count == 100)
                } else {
                    #expect(throws: ReportingError.self) { try read(text) }
                }
            }
        }
        let name = "HTTP/1.1 200 OK\r\nx: "
        let most = HTTPExchange.headByteCountLimit - name.utf8.count
        #expect(try read(name + body(most) + "\r\n\r\n", piece: 4096).status == 200)
        #expect(throws: ReportingError.self) { try read(name + body(most + 1) + "\r\n\r\n", piece: 4096) }
        #expect(throws: ReportingError.self) { try read(name + body(1 << 20), piece: 4096) }
        // Who wants the head alone waits for no body.
        #expect(try read("HTTP/1.1 404 Not Found\r\nContent-Length: 5000000\r\n\r\nx", limit: nil).status == 404)
    }

    @Test func asksOverTLSOnlyUnlessItIsThisMachine() throws {
        let tls = try ClientTLS(authorities: nil)
        for url in ["https://id.example", "https://id.example:8443/a?b=c", "https://[::1]:9/"] {
            #expect(throws: Never.self) { try HTTPExchange(url: url, tls: tls, setting: "x") }
        }
        #expect(throws: Never.self) { try HTTPExchange(url: "http://127.0.0.1:9/x", tls: nil, setting: "x") }
        for url in [
            "http://id.example/", "https://", "ftp://id.example/", "https://a@id.example/", "https://id.example/#x",
            "https://id.example/a b", "https://id.example/\r\nX: y", "file:///etc/passwd", "",
            "https://id.example/" + String(repeating: "x", count: 2048),
        ] { #expect(throws: ReportingError.self, "\(url)") { try HTTPExchange(url: url, tls: tls, setting: "x") } }
        #expect(throws: ReportingError.self) { try HTTPExchange(url: "https://id.example/", tls: nil, setting: "x") }
    }
}
