import Foundation
import Testing

/// The web door over TLS, and what viewers need of HTTP, by curl.
@Suite(.scenario, .timeLimit(.minutes(30))) struct SecureWebTests {
    /// One answer, its head in lower case.
    private struct Answer {
        var status = 0
        var fields: [String: String] = [:]
        var body = Data()
        var protocolName = ""
    }

    /// Asks by curl, which checks the certificate; `path` is what follows the authority.
    private func ask(
        _ huizhen: HuizhenProcess, _ path: String, _ arguments: [String] = [], isSecure: Bool = true,
        authority: String? = nil
    ) throws -> Answer {
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The token stays off the command line.
        try "header = \"Authorization: Bearer \(huizhen.webToken())\"\n".write(
            toFile: folder + "/config", atomically: true, encoding: .utf8)
        let base = isSecure ? "https://localhost:\(huizhen.webTLSPort)" : "http://localhost:\(huizhen.webPort)"
        let trust = ["--cacert", authority ?? huizhen.directory + "/web/certificate.pem"]
        let result = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-S", "--config", folder + "/config", "-D", folder + "/head", "-o", folder + "/body", "-w",
                "%{http_version}",
            ] + (isSecure ? trust : []) + arguments + [base + path])
        guard result.code == 0 else { throw ToolFailure(text: "curl: \(result.error)") }
        var answer = Answer()
        answer.protocolName = result.output
        let head = try String(contentsOfFile: folder + "/head", encoding: .utf8)
        for line in head.split(whereSeparator: \.isNewline) {
            if line.hasPrefix("HTTP/") {
                answer = Answer(protocolName: result.output)
                answer.status = Int(line.split(separator: " ")[1]) ?? 0
            } else if let colon = line.firstIndex(of: ":") {
                answer.fields[line[..<colon].lowercased()] =
                    line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            }
        }
        answer.body = FileManager.default.contents(atPath: folder + "/body") ?? Data()
        return answer
    }

    /// A service with one CT, and the path of its only instance.
    private func service(_ settings: [String] = []) throws -> (HuizhenProcess, String) {
        let huizhen = try HuizhenProcess(arguments: settings)
        #expect(try huizhen.tool(["import", Images.smallCT()]).code == 0)
        let found = try ask(huizhen, "/dicom-web/instances")
        let match = try #require((JSONSerialization.jsonObject(with: found.body) as? [[String: Any]])?.first)
        func uid(_ tag: String) throws -> String {
            try #require(((match[tag] as? [String: Any])?["Value"] as? [String])?.first)
        }
        let path =
            try "/dicom-web/studies/\(uid("0020000D"))/series/\(uid("0020000E"))/instances/\(uid("00080018"))"
        // Addresses in answers begin as the request did.
        let address = ((match["00081190"] as? [String: Any])?["Value"] as? [String])?.first
        #expect(address == "https://localhost:\(huizhen.webTLSPort)" + path)
        return (huizhen, path)
    }

    @Test func speaksHTTP2AndHTTP1OverTLS13WithACertificateOfItsOwn() throws {
        let (huizhen, path) = try service()
        let newer = try ask(huizhen, path + "/metadata", ["--http2"])
        let older = try ask(huizhen, path + "/metadata", ["--http1.1"])
        #expect(newer.protocolName == "2" && older.protocolName == "1.1")
        #expect(newer.status == 200 && older.status == 200 && newer.body == older.body)
        #expect(throws: ToolFailure.self) { try ask(huizhen, path + "/metadata", ["--tls-max", "1.2"]) }
        let mode = try FileManager.default.attributesOfItem(atPath: huizhen.directory + "/web/key.pem")
        #expect((mode[.posixPermissions] as? Int) == 0o600)
        // The same one after a restart.
        let before = FileManager.default.contents(atPath: huizhen.directory + "/web/certificate.pem")
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(FileManager.default.contents(atPath: huizhen.directory + "/web/certificate.pem") == before)
        #expect(try ask(huizhen, path + "/metadata").status == 200)
    }

    @Test func takesACertificateAnewWithoutARestart() throws {
        let folder = TemporaryFolder.make()
        func install(_ name: String) throws {
            for end in ["pem", "key"] {
                let next = folder + "/next." + end
                try FileManager.default.copyItem(atPath: Certificates.path(name + "." + end), toPath: next)
                #expect(rename(next, folder + "/web." + end) == 0)
            }
        }
        try install("server")
        let huizhen = try HuizhenProcess(arguments: [
            "--set", "web.tls.certificate=\(folder)/web.pem", "--set", "web.tls.key=\(folder)/web.key", "--set",
            "web.tls.minimum=1.2",
        ])
        #expect(huizhen.logText().contains("warning") && huizhen.logText().contains("web.tls.minimum lets TLS 1.2"))
        func fingerprint() throws -> String {
            let shown = try Tool.run(
                "/bin/sh",
                [
                    "-c",
                    "openssl s_client -connect 127.0.0.1:\(huizhen.webTLSPort) -tls1_2 </dev/null 2>/dev/null"
                        + " | openssl x509 -noout -fingerprint -sha256",
                ])
            return try shown.checked()
        }
        let first = try fingerprint()
        try install("elsewhere")
        let second = try fingerprint()
        #expect(first.contains("=") && second.contains("=") && first != second)
        // A key that is not the certificate's is not taken.
        try FileManager.default.removeItem(atPath: folder + "/web.key")
        try FileManager.default.copyItem(atPath: Certificates.path("client.key"), toPath: folder + "/web.key")
        #expect(try fingerprint() == second)
        #expect(huizhen.logText().contains("certificate of the web door not taken"))
    }

    @Test func sendsWhatIsMissingOfADownload() throws {
        let (huizhen, path) = try service()
        let dicom = ["-H", "Accept: application/dicom"]
        let whole = try ask(huizhen, path, dicom)
        let tag = try #require(whole.fields["etag"])
        #expect(whole.status == 200 && whole.fields["accept-ranges"] == "bytes" && !tag.hasPrefix("W/"))
        for (range, expected) in [
            ("bytes=0-99", whole.body.prefix(100)), ("bytes=1000-", whole.body.dropFirst(1000)),
            ("bytes=-7", whole.body.suffix(7)), ("bytes=700-701", whole.body[700...701]),
        ] {
            let part = try ask(huizhen, path, dicom + ["-H", "Range: \(range)", "-H", "If-Range: \(tag)"])
            #expect(part.status == 206 && part.body == expected, "\(range)")
            #expect(part.fields["content-range"]?.hasSuffix("/\(whole.body.count)") == true)
        }
        let beyond = try ask(huizhen, path, dicom + ["-H", "Range: bytes=\(whole.body.count)-"])
        #expect(beyond.status == 416 && beyond.fields["content-range"] == "bytes */\(whole.body.count)")
        #expect(beyond.fields["content-type"] == "application/problem+json")
        // Another state, several ranges, nonsense: the whole.
        for fields in [
            ["Range: bytes=0-9", "If-Range: \"another\""], ["Range: bytes=0-1,5-6"], ["Range: bytes=9-2"],
            ["Range: lines=1-2"],
        ] {
            let answer = try ask(huizhen, path, dicom + fields.flatMap { ["-H", $0] })
            #expect(answer.status == 200 && answer.body == whole.body, "\(fields)")
        }
        // curl goes on by itself where it broke off.
        let folder = TemporaryFolder.make()
        try whole.body.prefix(5_000).write(to: URL(fileURLWithPath: folder + "/part"))
        _ = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-S", "-f", "-C", "-", "--cacert", huizhen.directory + "/web/certificate.pem", "-H",
                "Authorization: Bearer \(huizhen.webToken())", "-H", "Accept: application/dicom", "-o",
                folder + "/part", "https://localhost:\(huizhen.webTLSPort)" + path,
            ]
        ).checked()
        #expect(FileManager.default.contents(atPath: folder + "/part") == whole.body)
    }

    @Test func saysWithoutABodyWhatAnAnswerIs() throws {
        let (huizhen, path) = try service()
        let whole = try ask(huizhen, path, ["-H", "Accept: application/dicom"])
        let head = try ask(huizhen, path, ["-H", "Accept: application/dicom", "--head"])
        // curl itself would complain of a body.
        #expect(head.status == 200)
        for name in ["content-length", "content-type", "etag"] { #expect(head.fields[name] == whole.fields[name]) }
        // What the client has is not sent again.
        let single = ["-H", "Accept: application/octet-stream"]
        for (resource, accept) in [
            (path, ["-H", "Accept: application/dicom"]), (path + "/frames/1", single),
            (path + "/frames/1", []), (path + "/metadata", []), (path + "/bulkdata/7FE00010", single),
        ] {
            let first = try ask(huizhen, resource, accept)
            let tag = try #require(first.fields["etag"], "\(resource)")
            let again = try ask(huizhen, resource, accept + ["-H", "If-None-Match: \"x\", \(tag)"])
            #expect(first.status == 200 && again.status == 304 && again.body.isEmpty, "\(resource)")
            #expect(again.fields["etag"] == tag)
        }
    }

    @Test(arguments: ["gzip", "zstd"]) func compressesTextWhereThatIsTaken(_ coding: String) throws {
        let (huizhen, path) = try service()
        let plain = try ask(huizhen, path + "/metadata")
        let coded = try ask(huizhen, path + "/metadata", ["-H", "Accept-Encoding: br;q=1, \(coding);q=0.5"])
        #expect(plain.fields["content-encoding"] == nil && plain.fields["vary"] == "Accept-Encoding")
        #expect(coded.fields["content-encoding"] == coding && coded.body.count < plain.body.count / 2)
        #expect(coded.fields["etag"] == plain.fields["etag"].map { "W/" + $0 })
        let folder = TemporaryFolder.make()
        try coded.body.write(to: URL(fileURLWithPath: folder + "/coded"))
        let opened = try Tool.run("/usr/bin/\(coding)", ["-d", "-c", folder + "/coded"])
        #expect(Data(try opened.checked().utf8) == plain.body)
        // Images stay as they are, and bodies must come so.
        let image = try ask(huizhen, path, ["-H", "Accept: application/dicom", "-H", "Accept-Encoding: \(coding)"])
        #expect(image.fields["content-encoding"] == nil)
        let sent = try ask(
            huizhen, "/dicom-web/studies",
            ["-H", "Content-Encoding: \(coding)", "-H", "Content-Type: application/dicom", "-d", "x"])
        #expect(sent.status == 415)
    }

    @Test func letsPagesOfNamedOriginsAsk() throws {
        let (huizhen, path) = try service(["--set", "web.origins=https://viewer.example"])
        let origin = ["-H", "Origin: https://viewer.example"]
        let preflight = try ask(
            huizhen, path, origin + ["-X", "OPTIONS", "-H", "Access-Control-Request-Method: GET"])
        #expect(preflight.status == 204)
        #expect(preflight.fields["access-control-allow-origin"] == "https://viewer.example")
        #expect(preflight.fields["access-control-allow-headers"]?.contains("Authorization") == true)
        #expect(preflight.fields["access-control-allow-credentials"] == nil)
        let answer = try ask(huizhen, path + "/metadata", origin)
        #expect(answer.status == 200 && answer.fields["access-control-allow-origin"] == "https://viewer.example")
        #expect(answer.fields["vary"]?.contains("Origin") == true)
        // What a script may read of a search, too.
        let search = try ask(huizhen, "/dicom-web/instances?limit=0&totalcount=true", origin)
        let exposed = Set((search.fields["access-control-expose-headers"] ?? "").split(separator: ", "))
        #expect(search.status == 200 && search.fields["x-total-count"] == "1" && search.fields["warning"] != nil)
        #expect(exposed.isSuperset(of: ["X-Total-Count", "Warning", "ETag", "Content-Range"]))
        let foreign = try ask(huizhen, path + "/metadata", ["-H", "Origin: https://other.example"])
        #expect(foreign.status == 403 && foreign.fields["access-control-allow-origin"] == nil)
    }

    @Test func believesOnlyProxiesThatAreTrusted() throws {
        let forwarded = [
            "-H", "Forwarded: for=10.0.0.9;host=evil.example;proto=http, for=127.0.0.1;proto=https;host=pacs.example",
        ]
        func address(_ huizhen: HuizhenProcess, _ fields: [String]) throws -> (Int, String) {
            let answer = try ask(huizhen, "/dicom-web/studies", fields, isSecure: false)
            let match = (try? JSONSerialization.jsonObject(with: answer.body) as? [[String: Any]])?.first
            return (answer.status, ((match?["00081190"] as? [String: Any])?["Value"] as? [String])?.first ?? "")
        }
        let hosts = ["--set", "web.hosts=pacs.example"]
        let (trusting, _) = try service(hosts + ["--set", "web.trusted-proxies=127.0.0.1,::1"])
        #expect(try address(trusting, forwarded).1.hasPrefix("https://pacs.example/dicom-web/studies/"))
        // The operator's token counts for nobody behind it.
        for far in ["Forwarded: for=10.1.1.1;host=pacs.example", "X-Forwarded-For: 10.1.1.1"] {
            #expect(try address(trusting, ["-H", far]).0 == 401)
        }
        let older = ["-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-Host: pacs.example"]
        #expect(try address(trusting, older).1.hasPrefix("https://pacs.example/dicom-web/studies/"))
        #expect(try address(trusting, ["-H", "X-Forwarded-Host: evil.example"]).0 == 421)
        let (wary, _) = try service(hosts)
        #expect(try address(wary, forwarded).1.hasPrefix("http://localhost:\(wary.webPort)/dicom-web/studies/"))
    }
}
