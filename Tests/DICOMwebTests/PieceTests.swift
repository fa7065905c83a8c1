import NIOCore
import Testing

@testable import DICOMweb

@Test func fillsABufferAgainOnlyOnceNobodyHasIt() {
    let buffers = PieceBuffers(countLimit: 1)
    var first = buffers.take(1024)
    first.writeString("first")
    buffers.keep(first)
    var second = buffers.take(1024)
    second.writeString("other")
    #expect(String(buffer: first) == "first")
    #expect(String(buffer: second) == "other")
    #expect(second.readableBytes == 5)
}

@Test func fillsTheSameMemoryAgain() {
    let buffers = PieceBuffers(countLimit: 1)
    func address(_ buffer: ByteBuffer) -> Int { buffer.withVeryUnsafeBytes { Int(bitPattern: $0.baseAddress) } }
    var first: ByteBuffer? = buffers.take(1 << 16)
    let place = first.map(address)
    first.map(buffers.keep)
    first = nil
    // Something else takes the memory if it was given back.
    let others = (0..<8).map { _ in ByteBufferAllocator().buffer(capacity: 1 << 16) }
    #expect(address(buffers.take(1 << 16)) == place)
    #expect(!others.map(address).contains { $0 == place })
}

@Test func keepsNoBufferBeyondItsBound() {
    let buffers = PieceBuffers(countLimit: 4)
    let large = buffers.take(PieceBuffers.byteCountLimit + 1)
    #expect(large.capacity > PieceBuffers.byteCountLimit)
    buffers.keep(large)
    #expect(buffers.take(16).capacity < PieceBuffers.byteCountLimit)
}

@Test func makesManyThingsInTheirOrder() throws {
    var batch = MetadataBatch()
    var made: [UInt8] = []
    while made.count < 200 {
        let first = made.count
        let next = try batch.make(200 - first, byteCount: \.count) { [UInt8(first + $0)] }
        #expect(!next.isEmpty && next.count <= MetadataBatch.countLimit)
        made += next.joined()
    }
    #expect(made == (0..<200).map { UInt8($0) })
}

@Test func makesFewAtATimeOfWhatIsLarge() throws {
    var batch = MetadataBatch()
    var most = 0
    for _ in 0..<8 {
        let made = try batch.make(100, byteCount: \.count) { _ in
            [UInt8](repeating: 0, count: MetadataBatch.byteCountGoal)
        }
        most = max(most, made.count)
    }
    #expect(most == 2)
}

@Test func tellsWhyOneOfSeveralCouldNotBeMade() throws {
    struct Lost: Error {}
    var batch = MetadataBatch()
    _ = try batch.make(10, byteCount: \[UInt8].count) { _ in [] }
    #expect(throws: Lost.self) {
        try batch.make(10, byteCount: \[UInt8].count) { index in
            if index == 1 { throw Lost() }
            return []
        }
    }
}
