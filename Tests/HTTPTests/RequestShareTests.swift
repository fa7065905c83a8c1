import Hummingbird
import NIOCore
import Testing

@testable import HTTP

struct RequestShareTests {
    @Test func givesEachItsShareAndTakesItBack() throws {
        let shares = RequestShares<String>(limit: 2)
        var held = [try shares.take("a"), try shares.take("a")]
        #expect(throws: Problem.self) { try shares.take("a") }
        let other = try shares.take("b")
        held.removeLast()
        held.append(try shares.take("a"))
        #expect(throws: Problem.self) { try shares.take("a") }
        withExtendedLifetime((held, other)) {}
    }

    /// A place is kept by an answer that is still to be sent, and by a small one, which is as good as sent, not.
    @Test(arguments: [(10, false), (1 << 20, true)]) func largeAnswersKeepTheirPlace(_ count: Int, _ isKept: Bool)
        throws
    {
        let shares = RequestShares<String>(limit: 1)
        var response: Response? = Response(
            status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 0, count: count))
        ).keeping(try shares.take("a"))
        if isKept {
            #expect(throws: Problem.self) { try shares.take("a") }
        } else {
            _ = try shares.take("a")
        }
        withExtendedLifetime(response) {}
        response = nil
        _ = try shares.take("a")
    }
}
