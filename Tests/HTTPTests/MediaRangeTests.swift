import HTTP
import Testing

struct MediaRangeTests {
    @Test func readsParametersWithAndWithoutQuotes() throws {
        let type = try #require(
            MediaRange(#"Multipart/Related; type="application/dicom"; Boundary=x_1;; transfer-syntax=*"#))
        #expect(type.essence == "multipart/related")
        #expect(type["type"] == "application/dicom")
        #expect(type["boundary"] == "x_1")
        #expect(type["transfer-syntax"] == "*")
        #expect(MediaRange("multipart/related; type=application/dicom")?["type"] == "application/dicom")
        #expect(MediaRange(#"a/b; c="d\"e,f;g""#)?["c"] == #"d"e,f;g"#)
    }

    @Test func ordersRangesByQualityAndLeavesOutWhatIsRefused() throws {
        let ranges = try #require(MediaRange.accepted("a/a;q=0.1, b/b, c/c;q=0, d/d;q=0.5,, e/e"))
        #expect(ranges.map(\.type) == ["b", "e", "d", "a"])
    }

    @Test(arguments: ["a", "a/", "/b", "a/b;c", "a/b; c=\"d", "a/b c/d", "a/b;=c", "ä/b"])
    func refusesWhatIsNone(_ text: String) {
        #expect(MediaRange(text) == nil)
    }

    @Test func boundsTheField() {
        let many = Array(repeating: "a/b", count: MediaRange.countLimit)
        #expect(MediaRange.accepted(many.joined(separator: ","))?.count == MediaRange.countLimit)
        #expect(MediaRange.accepted((many + ["a/b"]).joined(separator: ",")) == nil)
        let long = "a/b;c=" + String(repeating: "x", count: MediaRange.byteCountLimit)
        #expect(MediaRange.accepted(long) == nil)
    }

    @Test func takesWhatARangeCovers() {
        #expect(MediaRange("*", "*").takes("image", "jpeg"))
        #expect(MediaRange("image", "*").takes("image", "jpeg"))
        #expect(!MediaRange("image", "png").takes("image", "jpeg"))
    }
}
