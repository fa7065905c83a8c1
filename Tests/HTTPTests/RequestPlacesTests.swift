import Hummingbird
import NIOCore
import Testing

@testable import HTTP

struct RequestPlacesTests {
    @Test func givesEachItsShareAndTakesItBack() throws {
        let places = RequestPlaces<String>()
        var held = [try #require(places.take("a", of: 2)), try #require(places.take("a", of: 2))]
        #expect(places.take("a", of: 2) == nil)
        let other = try #require(places.take("b", of: 2))
        held.removeLast()
        held.append(try #require(places.take("a", of: 2)))
        #expect(places.take("a", of: 2) == nil)
        withExtendedLifetime((held, other)) {}
    }

    /// A place is kept by an answer that is still to be sent, and by a small one, which is as good as sent, not.
    @Test(arguments: [(10, false), (1 << 20, true)]) func largeAnswersKeepTheirPlace(_ count: Int, _ isKept: Bool)
        throws
    {
        let places = RequestPlaces<String>()
        var response: Response? = Response(
            status: .ok, body: .init(byteBuffer: ByteBuffer(repeating: 0, count: count))
        ).keeping(try #require(places.take("a", of: 1)))
        #expect((places.take("a", of: 1) == nil) == isKept)
        withExtendedLifetime(response) {}
        response = nil
        #expect(places.take("a", of: 1) != nil)
    }
}
