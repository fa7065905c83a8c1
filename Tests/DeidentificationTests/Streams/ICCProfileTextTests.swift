import Deidentification
import Testing

/// A colour profile keeps its numbers and says nothing.
struct ICCProfileTextTests {
    private static let secret = Array("CANARY".utf8)

    private static func big(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }

    private static func profile(version: UInt8, _ tags: [(String, [UInt8])]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 128)
        header.replaceSubrange(4..<8, with: "ADBE".utf8)
        header[8] = version
        header.replaceSubrange(12..<20, with: "mntrRGB ".utf8)
        header.replaceSubrange(36..<40, with: "acsp".utf8)
        for place in [48, 80, 84, 100, 110] { header.replaceSubrange(place..<place + 6, with: secret) }
        var table = big(tags.count)
        var body: [UInt8] = []
        for (name, data) in tags {
            table += Array(name.utf8) + big(132 + 12 * tags.count + body.count) + big(data.count)
            body += data
        }
        var result = header + table + body + secret
        result.replaceSubrange(0..<4, with: big(result.count))
        return result
    }

    private static func tags(_ profile: [UInt8]) -> [String: [UInt8]] {
        func number(_ at: Int) -> Int { profile[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        var result: [String: [UInt8]] = [:]
        for index in 0..<number(128) {
            let entry = 132 + 12 * index
            let start = number(entry + 4)
            result[String(decoding: profile[entry..<entry + 4], as: UTF8.self)] = Array(
                profile[start..<start + number(entry + 8)])
        }
        return result
    }

    private static let white = Array("XYZ ".utf8) + big(0) + big(1) + big(2) + big(3)
    private static let curve = Array("curv".utf8) + big(0) + big(1) + [2, 51]

    @Test(arguments: [UInt8(2), 4])
    func leavesNumbersAlone(version: UInt8) throws {
        let profile = Self.profile(
            version: version,
            [
                ("desc", Array("desc".utf8) + Self.big(0) + Self.secret),
                ("cprt", Array("text".utf8) + Self.big(0) + Self.secret),
                ("wtpt", Self.white + Self.secret), ("rTRC", Self.curve + Self.secret),
                ("dmnd", Array("desc".utf8) + Self.big(0) + Self.secret),
                ("meta", Array("dict".utf8) + Self.secret), ("priv", Self.white + Self.secret),
            ])
        let cleaned = try #require(ICCProfileText.cleaned(profile))
        let tags = Self.tags(cleaned)
        #expect(Set(tags.keys) == ["desc", "cprt", "wtpt", "rTRC"])
        #expect(tags["wtpt"] == Self.white)
        #expect(tags["rTRC"] == Self.curve)
        #expect(!(0...cleaned.count - 6).contains { cleaned[$0..<$0 + 6].elementsEqual(Self.secret) })
        #expect(cleaned[12..<20].elementsEqual("mntrRGB ".utf8))
        #expect(ICCProfileText.cleaned(cleaned) == cleaned)
    }

    @Test func refusesWhatIsNoProfile() {
        let good = Self.profile(version: 4, [("wtpt", Self.white)])
        #expect(ICCProfileText.cleaned(good) != nil)
        #expect(ICCProfileText.cleaned([]) == nil)
        #expect(ICCProfileText.cleaned(Array(good.prefix(131))) == nil)
        #expect(ICCProfileText.cleaned(Array(good.dropLast(20))) == nil)
        var bytes = good
        bytes[131] = 200
        #expect(ICCProfileText.cleaned(bytes) == nil)
        bytes = good
        bytes[36] = 0
        #expect(ICCProfileText.cleaned(bytes) == nil)
        #expect(
            ICCProfileText.cleaned(Self.profile(version: 4, [("A2B0", Array("text".utf8) + Self.big(0) + Self.secret)]))
                == nil)
        for place in good.indices {
            var bytes = good
            bytes[place] ^= 0xFF
            _ = ICCProfileText.cleaned(bytes)
        }
    }
}
