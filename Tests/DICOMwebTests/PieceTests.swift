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
        let next = try batch.make(200 - first) { [UInt8(first + $0)] }
        #expect(!next.isEmpty && next.count <= MetadataBatch.countLimit)
        made += next.joined()
    }
    #expect(made == (0..<200).map { UInt8($0) })
}

@Test func makesFewAtATimeOfWhatIsLarge() throws {
    var batch = MetadataBatch()
    var most = 0
    for _ in 0..<8 {
        most = max(most, try batch.make(100) { _ in [UInt8](repeating: 0, count: MetadataBatch.byteCountGoal) }.count)
    }
    #expect(most == 2)
}

@Test func tellsWhyOneOfSeveralCouldNotBeMade() throws {
    struct Lost: Error {}
    var batch = MetadataBatch()
    _ = try batch.make(10) { _ in [] }
    #expect(throws: Lost.self) {
        try batch.make(10) { index in
            if index == 1 { throw Lost() }
            return []
        }
    }
}
