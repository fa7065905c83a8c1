import HTTPTypes
import Testing

@testable import HTTP

struct ByteRangeTests {
    @Test func readsWhatIsAskedFor() {
        #expect(ByteRange.asked("bytes=0-0", of: 10) == .part(0..<1))
        #expect(ByteRange.asked("Bytes=3-", of: 10) == .part(3..<10))
        #expect(ByteRange.asked("bytes=-4", of: 10) == .part(6..<10))
        #expect(ByteRange.asked("bytes=-40", of: 10) == .part(0..<10))
        #expect(ByteRange.asked("bytes=9-999999999999999999", of: 10) == .part(9..<10))
        #expect(ByteRange.asked("bytes=10-", of: 10) == .unsatisfiable)
        #expect(ByteRange.asked("bytes=-0", of: 10) == .unsatisfiable)
        #expect(ByteRange.asked("bytes=-1", of: 0) == .unsatisfiable)
    }

    @Test(arguments: [
        "bytes=", "bytes=-", "bytes=5-4", "bytes=1-2,4-5", "lines=1-2", "bytes 1-2", "bytes=+1-2", "bytes=1--2",
        "bytes=٣-", "bytes=9999999999999999999-", "",
    ])
    func passesOverWhatIsNone(_ field: String) {
        #expect(ByteRange.asked(field, of: 10) == .whole)
    }

    @Test func likesTheCodingThatTheClientLikes() {
        #expect(AcceptedCoding.best(nil) == nil && AcceptedCoding.best("") == nil)
        #expect(AcceptedCoding.best("gzip, deflate, br, zstd") == .zstd)
        #expect(AcceptedCoding.best("gzip;q=1.0, zstd;q=0.5") == .gzip)
        #expect(AcceptedCoding.best("gzip;q=0") == nil && AcceptedCoding.best("*") == .zstd)
        #expect(AcceptedCoding.best("zstd;q=0, *;q=0.3") == .gzip)
        #expect(AcceptedCoding.best("identity, gzip;q=0.5") == nil)
        #expect(AcceptedCoding.best("gzip;q=x") == nil)
    }

    @Test func knowsTheTagsThatAFieldNames() {
        #expect(EntityTagField.field("\"a\", W/\"b\"", names: "\"b\""))
        #expect(EntityTagField.field("\"b\"", names: "W/\"b\"") && EntityTagField.field(" *", names: "\"x\""))
        #expect(!EntityTagField.field("\"a\"", names: "\"b\"") && !EntityTagField.field(nil, names: "\"b\""))
    }

    @Test func believesTheLastProxy() throws {
        func told(_ name: String, _ value: String) throws -> ForwardedOrigin {
            var fields = HTTPFields()
            fields[try #require(HTTPField.Name(name))] = value
            return ForwardedOrigin(fields)
        }
        let both = try told("Forwarded", "host=a;proto=http, for=\"[::1]:4\" ; Proto=HTTPS;host=\"b.example:8443\"")
        #expect(both.scheme == "https" && both.host == "b.example:8443")
        #expect(try told("Forwarded", "for=10.1.1.1, for=\"[2001:db8::1]:4711\";proto=https").client == "2001:db8::1")
        #expect(try told("Forwarded", "for=192.0.2.1:80").client == "192.0.2.1")
        #expect(try told("Forwarded", "for=_hidden").client == nil)
        #expect(try told("X-Forwarded-For", "10.1.1.1, 192.0.2.7").client == "192.0.2.7")
        #expect(try told("X-Forwarded-For", "2001:db8::1").client == "2001:db8::1")
        #expect(try told("X-Forwarded-For", "unknown").client == nil)
        let quoted = try told("Forwarded", "host=\"a,b;c\"")
        #expect(quoted.host == nil && quoted.scheme == nil)
        #expect(try told("Forwarded", "proto=javascript;host=").scheme == nil)
        #expect(try told("X-Forwarded-Host", "a.example, b.example").host == "b.example")
        #expect(try told("X-Forwarded-Host", "b.example\"/x").host == nil)
        #expect(try told("X-Forwarded-Proto", "http, HTTPS").scheme == "https")
    }
}
