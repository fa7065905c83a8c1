import Testing

@testable import SFTP

/// Files that are fetched.
struct ReadTests {
    @Test func readsAFileByItsParts() throws {
        let client = try Client.begun()
        let handle = try client.handle(Client.objectPath, .read)
        var size = try client.ask(PacketKind.handleAttributes, [handle])
        #expect(try size.fields.attributes().byteCount == 100)
        var part = try client.ask(PacketKind.read, [handle, .long(90), .number(32768)])
        #expect(part.kind == PacketKind.data)
        #expect(try part.fields.string().elementsEqual(UInt8(90)..<100))
        #expect(try client.ask(PacketKind.read, [handle, .long(100), .number(1)]).status == .endOfFile)
        #expect(try client.ask(PacketKind.read, [handle, .long(UInt64.max), .number(UInt32.max)]).status == .endOfFile)
        #expect(try client.ask(PacketKind.read, [handle, .long(0), .number(0)]).status == .endOfFile)
        #expect(try client.close(handle) == .ok)
        #expect(client.dropped == [1])
        #expect(try client.ask(PacketKind.read, [handle, .long(0), .number(1)]).status == .failure)
        #expect(try client.close(handle) == .failure)
    }

    @Test func readsNoMoreThanAPacketHolds() throws {
        let client = try Client.begun()
        client.content = [UInt8](repeating: 5, count: PacketReader.byteCountLimit * 2)
        let handle = try client.handle(Client.objectPath, .read)
        var part = try client.ask(PacketKind.read, [handle, .long(0), .number(UInt32.max)])
        #expect(try part.fields.string().count == Conversation.dataByteCountLimit)
    }

    @Test func opensAsManyFilesAsTheBoundAndNotOneMore() throws {
        let client = try Client.begun()
        var handles: [Field] = []
        for _ in 0..<Conversation.handleLimit { handles.append(try client.handle(Client.objectPath, .read)) }
        #expect(try client.open(Client.objectPath, .read).status == .failure)
        #expect(try client.ask(PacketKind.openDirectory, [.text("/")]).status == .failure)
        #expect(try client.open("/incoming/a", Client.put).status == .failure)
        #expect(try client.close(handles[3]) == .ok)
        #expect(try client.open(Client.objectPath, .read).kind == PacketKind.handle)
        #expect(client.conversation.openSlots.count == Conversation.handleLimit)
    }

    @Test func writesNothingWhereFilesAreRead() throws {
        let client = try Client.begun()
        for path in [Client.objectPath, "/studies/index.csv", "/studies/new.dcm", "/new.dcm"] {
            #expect(try client.open(path, Client.put).status == .permissionDenied, "\(path)")
            #expect(try client.open(path, [.read, .write]).status == .permissionDenied, "\(path)")
        }
        let path = Field.text(Client.objectPath)
        #expect(try client.ask(PacketKind.remove, [path]).status == .permissionDenied)
        #expect(try client.ask(PacketKind.rename, [path, .text("/incoming/a")]).status == .permissionDenied)
        #expect(try client.ask(PacketKind.setAttributes, [path, .number(0)]).status == .permissionDenied)
        #expect(
            try client.ask(PacketKind.makeDirectory, [.text("/studies/a"), .number(0)]).status == .permissionDenied)
        #expect(try client.ask(PacketKind.makeDirectory, [.text("/a"), .number(0)]).status == .permissionDenied)
        #expect(try client.ask(PacketKind.removeDirectory, [.text("/studies")]).status == .permissionDenied)
        let handle = try client.handle(Client.objectPath, .read)
        #expect(try client.write(handle, at: 0, [1]).status == .failure)
        #expect(try client.ask(PacketKind.setHandleAttributes, [handle, .number(0)]).status == .permissionDenied)
        #expect(client.operations == ["open"])
    }

    @Test func takesNoDirectoryForAFile() throws {
        let client = try Client.begun()
        for path in ["/", "/studies", "/studies/\(Client.study)"] {
            #expect(try client.open(path, .read).status == .failure, "\(path)")
        }
        #expect(try client.open(Client.objectPath, []).status == .badMessage)
        let handle = try client.directory("/studies")
        #expect(try client.ask(PacketKind.read, [handle, .long(0), .number(1)]).status == .failure)
        #expect(try client.ask(PacketKind.readDirectory, [.bytes([0, 0])]).status == .failure)
        #expect(try client.ask(PacketKind.handleAttributes, [handle]).kind == PacketKind.attributesAnswer)
    }

    @Test func tellsWhatFailedOutside() throws {
        let client = try Client.begun()
        client.failure = (.permissionDenied, "it is not yours")
        let refused = try client.open(Client.objectPath, .read)
        #expect(refused.status == .permissionDenied && refused.text == "it is not yours")
        #expect(client.conversation.openSlots.isEmpty)
        let handle = try client.handle(Client.objectPath, .read)
        client.failure = (.failure, "the disk broke")
        #expect(try client.ask(PacketKind.read, [handle, .long(0), .number(9)]).text == "the disk broke")
        // Another read may succeed.
        #expect(try client.ask(PacketKind.read, [handle, .long(0), .number(9)]).kind == PacketKind.data)
        client.failure = (.failure, "the disk broke")
        #expect(try client.close(handle) == .ok)
        #expect(client.conversation.openSlots.isEmpty)
    }
}
