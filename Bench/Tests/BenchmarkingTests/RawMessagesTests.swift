import Foundation
import Testing

@testable import Benchmarking

/// One PDV: length, context, control, bytes.
private func pdv(control: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [0, 0, 0, UInt8(bytes.count + 2), 1, control] + bytes
}

private func command(status: [UInt8]) -> [UInt8] {
    [0, 0, 0, 1, 2, 0, 0, 0, 0x20, 0x80] + [0, 0, 0, 9, 2, 0, 0, 0] + status
}

@Test func readsTheStatusOfEachCommandAndPassesOverIdentifiers() {
    let body =
        pdv(control: 3, command(status: [0, 0xFF])) + pdv(control: 2, [1, 2, 3])
        + pdv(control: 3, command(status: [0, 0]))
    #expect(RawMessages.statuses(in: body[...]) == [0xFF00, 0])
}

@Test func aLengthBeyondThePDUEndsTheReading() {
    #expect(RawMessages.statuses(in: [0, 0, 1, 0, 1, 3, 0, 0][...]).isEmpty)
    #expect(RawMessages.statuses(in: pdv(control: 3, [0, 0, 0, 9, 99, 0, 0, 0])[...]).isEmpty)
}

@Test func aRefusedContextIsSeen() {
    let head = [UInt8](repeating: 0, count: 68) + [0x10, 0, 0, 2, 0x31, 0x32]
    let item: (UInt8) -> [UInt8] = { [0x21, 0, 0, 4, 1, 0, $0, 0] }
    #expect(RawMessages.acceptsContext((head + item(0))[...]))
    #expect(!RawMessages.acceptsContext((head + item(3))[...]))
    #expect(!RawMessages.acceptsContext(head[...]))
}
