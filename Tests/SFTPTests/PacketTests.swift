import Testing

@testable import SFTP

/// Bytes that become packets, and packets that are none.
struct PacketTests {
    private func framed(_ count: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: count >> (24 - 8 * $0)) } + [UInt8](repeating: 7, count: count)
    }

    @Test func givesPacketsHoweverTheirBytesCome() throws {
        let stream = framed(1) + framed(300) + framed(2)
        for size in [1, 3, 7, stream.count] {
            var reader = PacketReader()
            var counts: [Int] = []
            for start in stride(from: 0, to: stream.count, by: size) {
                reader.append(stream[start..<min(start + size, stream.count)])
                while let packet = try reader.next() { counts.append(packet.count) }
            }
            #expect(counts == [1, 300, 2])
        }
    }

    @Test func takesAPacketAsLongAsTheBoundAndNoneThatIsLonger() throws {
        var reader = PacketReader()
        reader.append(framed(PacketReader.byteCountLimit))
        #expect(try reader.next()?.count == PacketReader.byteCountLimit)
        reader.append([0, 4, 0, 1])
        #expect(throws: SFTPError.oversized) { try reader.next() }
    }

    @Test func refusesAPacketWithoutAByte() throws {
        var reader = PacketReader()
        reader.append([0, 0, 0, 0])
        #expect(throws: SFTPError.malformed) { try reader.next() }
    }

    @Test func agreesOnVersionThree() throws {
        var conversation = Conversation()
        guard case .answer(let answer) = try conversation.take([1, 0, 0, 0, 6, 9, 9]) else {
            return #expect(Bool(false), "something is to be done first")
        }
        var reader = FieldReader(answer.dropFirst(4))
        #expect(try reader.uint8() == 2)
        #expect(try reader.uint32() == 3)
        #expect(try reader.string().elementsEqual("limits@openssh.com".utf8))
    }

    @Test func endsWithWhoeverDoesNotBeginAsItIsDone() throws {
        var tooOld = Conversation()
        #expect(throws: SFTPError.version) { try tooOld.take([1, 0, 0, 0, 2]) }
        var short = Conversation()
        #expect(throws: SFTPError.malformed) { try short.take([1, 0, 0]) }
        var early = Conversation()
        #expect(throws: SFTPError.outOfOrder) { try early.take([16, 0, 0, 0, 1, 0, 0, 0, 0]) }
        var twice = try Client.begun().conversation
        #expect(throws: SFTPError.outOfOrder) { try twice.take([1, 0, 0, 0, 3]) }
        var numberless = try Client.begun().conversation
        #expect(throws: SFTPError.malformed) { try numberless.take([3, 0, 0, 1]) }
    }

    @Test func answersAMalformedRequestAndGoesOn() throws {
        let client = try Client.begun()
        // A string that is longer than the packet, a field that is missing, one too many.
        #expect(try client.ask(PacketKind.open, [.raw([0, 0, 0, 9, 1])]).status == .badMessage)
        #expect(try client.ask(PacketKind.read, [.bytes([1]), .long(0)]).status == .badMessage)
        #expect(try client.ask(PacketKind.realPath, [.text("."), .number(1)]).status == .badMessage)
        #expect(try client.ask(PacketKind.makeDirectory, [.text("/incoming/a"), .number(0x100)]).status == .badMessage)
        #expect(try client.ask(PacketKind.realPath, [.text(".")]).kind == PacketKind.names)
    }

    @Test func takesAsManyExtendedAttributesAsTheBound() throws {
        func directory(_ count: Int) -> [Field] {
            let pairs = (0..<count).flatMap { _ in [Field.text("a"), .text("b")] }
            return [.text("/incoming/d\(count)"), .number(0x8000_0000), .number(UInt32(count))] + pairs
        }
        let client = try Client.begun()
        #expect(try client.ask(PacketKind.makeDirectory, directory(64)).status == .ok)
        #expect(try client.ask(PacketKind.makeDirectory, directory(65)).status == .badMessage)
    }

    @Test func saysWhatItDoesNotDo() throws {
        let client = try Client.begun()
        for kind: UInt8 in [PacketKind.readLink, PacketKind.makeLink, 0, 21, 99, 255] {
            #expect(try client.ask(kind, [.text("/")]).status == .unsupported)
        }
        #expect(try client.ask(PacketKind.extended, [.text("posix-rename@openssh.com")]).status == .unsupported)
        var limits = try client.ask(PacketKind.extended, [.text("limits@openssh.com")])
        #expect(limits.kind == PacketKind.extendedAnswer)
        #expect(try limits.fields.uint64() == UInt64(PacketReader.byteCountLimit))
        #expect(try limits.fields.uint64() == UInt64(Conversation.dataByteCountLimit))
        #expect(try limits.fields.uint64() == UInt64(Conversation.dataByteCountLimit))
        #expect(try limits.fields.uint64() == UInt64(Conversation.handleLimit))
    }
}
