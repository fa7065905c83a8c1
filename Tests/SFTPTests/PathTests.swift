import Testing

@testable import SFTP

/// Paths, and what they lead to.
struct PathTests {
    private func real(_ text: String) throws -> String? {
        let client = try Client.begun()
        var answer = try client.ask(PacketKind.realPath, [.text(text)])
        guard answer.kind == PacketKind.names else { return nil }
        _ = try answer.fields.uint32()
        return String(decoding: try answer.fields.string(), as: UTF8.self)
    }

    @Test func resolvesPathsFromTheRoot() throws {
        #expect(try real("") == "/")
        #expect(try real(".") == "/")
        #expect(try real("incoming/./a//b/../c") == "/incoming/a/c")
        #expect(try real("/../../..") == "/")
        #expect(try real("../incoming/../../studies") == "/studies")
    }

    @Test func takesNamesAndPathsUpToTheirBounds() throws {
        func name(_ count: Int) -> String { String(repeating: "x", count: count) }
        #expect(try real("/" + name(255)) != nil)
        #expect(try real("/" + name(256)) == nil)
        #expect(try real(String(repeating: "a/", count: 16)) != nil)
        #expect(try real(String(repeating: "a/", count: 17)) == nil)
        #expect(try real(String(repeating: "./", count: 2048)) == "/")
        #expect(try real(String(repeating: "./", count: 2048) + ".") == nil)
        #expect(try real("a\0b") == nil)
    }

    @Test func showsTwoDirectoriesAndNothingElse() throws {
        let client = try Client.begun()
        #expect(try client.names("/") == ["incoming", "studies"])
        #expect(try client.attributes("/")?.isDirectory == true)
        #expect(try client.attributes("/incoming")?.isDirectory == true)
        #expect(try client.attributes("/studies")?.isDirectory == true)
        for path in ["/etc", "/etc/passwd", "/Studies", "/studies/x", "/incoming/x", "/studies/index.csv/x"] {
            #expect(try client.stat(path).status == .noSuchFile, "\(path)")
        }
        #expect(client.operations.isEmpty, "somebody was asked for what is nowhere")
    }

    @Test func knowsOpaqueNamesByTheirForm() {
        #expect(OpaqueName("0123456789abcdef")?.value == 0x0123_4567_89AB_CDEF)
        #expect(OpaqueName("0000000000000001")?.description == "0000000000000001")
        for text in [
            "0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", "+123456789abcdef", "", "1.2.840.113619",
        ] {
            #expect(OpaqueName(text) == nil, "\(text)")
        }
    }

    @Test func asksForStudiesByTheirOpaqueNames() throws {
        let client = try Client.begun()
        #expect(try client.attributes(Client.objectPath)?.byteCount == 100)
        #expect(try client.attributes("/studies/index.csv") == .file(nil))
        #expect(try client.stat("/studies/\(Client.study)/\(Client.series)/\(Client.object)").status == .noSuchFile)
        #expect(try client.stat(Client.objectPath + "/x").status == .noSuchFile)
        #expect(client.operations == ["look", "look"])
    }

    @Test func listsInPortionsUntilTheEnd() throws {
        let client = try Client.begun()
        let names = try client.names("/studies")
        #expect(names.count == 150 && names.first == "0000000000000000" && names.last == "0000000000000095")
        #expect(client.operations == ["list", "nextEntries", "nextEntries", "nextEntries", "drop"])
        #expect(try client.ask(PacketKind.openDirectory, [.text("/studies/index.csv")]).status == .failure)
        #expect(try client.ask(PacketKind.openDirectory, [.text(Client.objectPath)]).status == .failure)
    }

    @Test func writesLinesAsPeopleReadThem() {
        let line = String(decoding: OpaqueName(1).objectEntry(12).longName, as: UTF8.self)
        #expect(line == "-r--------    1 -        -              12 Jan  1  1970 0000000000000001.dcm")
        #expect(String(decoding: OpaqueName(1).directoryEntry.longName, as: UTF8.self).hasPrefix("dr-x------ "))
    }
}
