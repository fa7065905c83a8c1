import DICOM
import NIOCore
import Testing

@testable import DICOMweb

/// The boxes of a video, against ones made by hand. ISO/IEC 14496-12.
struct MP4MovieTests {
    private static let sequence: [UInt8] = [0x67, 0x42, 0xC0, 0x29, 0x11]
    private static let picture: [UInt8] = [0x68, 0xCE, 0x3C]

    /// As a worker delivers it: NAL units of each frame, which get their lengths here.
    private static func group(
        _ frames: [[[UInt8]]], sequence: [UInt8] = sequence, picture: [UInt8] = picture
    ) -> [UInt8] {
        let samples = frames.map { units in units.flatMap { long($0.count) + $0 } }
        return ([sequence, picture] + samples).flatMap { long($0.count) + $0 }
    }

    private static func long(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 0xFF) } }

    private static func movie(
        _ width: Int = 64, _ height: Int = 48, frameCount: Int = 3, isSRGB: Bool = true
    ) throws -> MP4Movie {
        MP4Movie(
            try VideoFormat(width: width, height: height, frameDuration: .milliseconds(40), isSRGB: isSRGB),
            frameCount: frameCount)
    }

    /// The boxes that these bytes are made of, in their order.
    private static func boxes(_ bytes: [UInt8]) -> [(name: String, content: [UInt8])] {
        var result: [(String, [UInt8])] = []
        var offset = 0
        while offset + 8 <= bytes.count {
            let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length >= 8, offset + length <= bytes.count else { break }
            let name = String(decoding: bytes[offset + 4..<offset + 8], as: UTF8.self)
            result.append((name, Array(bytes[offset + 8..<offset + length])))
            offset += length
        }
        return offset == bytes.count ? result : []
    }

    private struct NoBox: Error, Equatable {
        var name: String
    }

    /// What lies in the first box of each name within the one before, behind the box's own fields where it has boxes.
    private static func content(_ path: String, in bytes: [UInt8]) throws -> [UInt8] {
        var content = bytes
        for name in path.split(separator: "/").map(String.init) {
            guard let box = boxes(content).first(where: { $0.name == name }) else { throw NoBox(name: name) }
            content = box.content
            content.removeFirst(min(content.count, ["stsd": 8, "avc1": 78, "dref": 8][name] ?? 0))
        }
        return content
    }

    @Test func writesAFragmentForEachGroup() throws {
        var movie = try Self.movie()
        var buffer = ByteBuffer()
        #expect(movie.add(Self.group([[[0x65, 1, 2]], [[0x41, 3]]]), to: &buffer))
        var first = ByteBuffer()
        swap(&first, &buffer)
        #expect(movie.add(Self.group([[[0x65, 7], [0x65, 8, 9]]]), to: &buffer))
        let names = Self.boxes(Array(first.readableBytesView)).map(\.name)
        #expect(names == ["ftyp", "moov", "moof", "mdat"])
        #expect(
            try Self.content("moof/traf/trun", in: Array(first.readableBytesView))
                == [0, 0, 2, 5] + Self.long(2) + Self.long(108) + [2, 0, 0, 0] + Self.long(7) + Self.long(6))
        #expect(
            try Self.content("mdat", in: Array(first.readableBytesView))
                == Self.long(3) + [0x65, 1, 2] + Self.long(2) + [0x41, 3])
        // The second in full: it comes after two pictures of 3600 parts of a second.
        let expected: [UInt8] =
            Self.long(96) + Array("moof".utf8)
            + Self.long(16) + Array("mfhd".utf8) + Self.long(0) + Self.long(2)
            + Self.long(72) + Array("traf".utf8)
            + Self.long(16) + Array("tfhd".utf8) + [0, 2, 0, 0] + Self.long(1)
            + Self.long(20) + Array("tfdt".utf8) + [1, 0, 0, 0] + Self.long(0) + Self.long(7200)
            + Self.long(28) + Array("trun".utf8) + [0, 0, 2, 5] + Self.long(1) + Self.long(104) + [2, 0, 0, 0]
            + Self.long(13)
            + Self.long(21) + Array("mdat".utf8) + Self.long(2) + [0x65, 7] + Self.long(3) + [0x65, 8, 9]
        #expect(Array(buffer.readableBytesView) == expected)
    }

    @Test func saysBeforeTheFirstWhatAllHaveInCommon() throws {
        var movie = try Self.movie(63, 47, frameCount: 70_000)
        var buffer = ByteBuffer()
        #expect(movie.add(Self.group([[[0x65, 1]]]), to: &buffer))
        let bytes = Array(buffer.readableBytesView)
        #expect(try Self.content("ftyp", in: bytes) == Array("iso5\0\0\0\0iso5iso6avc1mp41".utf8))
        let entry = "moov/trak/mdia/minf/stbl/stsd/avc1"
        #expect(
            try Self.content(entry + "/avcC", in: bytes)
                == [1, 0x42, 0xC0, 0x29, 0xFF, 0xE1, 0, 5] + Self.sequence + [1, 0, 3] + Self.picture)
        #expect(try Self.content(entry + "/colr", in: bytes) == Array("nclx".utf8) + [0, 1, 0, 13, 0, 1, 0])
        #expect(
            try Self.content(entry + "/clap", in: bytes)
                == [63, 1, 47, 1, -1, 2, -1, 2].flatMap { Self.long($0) })
        let sample = try Self.content("moov/trak/mdia/minf/stbl/stsd", in: bytes)
        #expect(sample[8 + 24..<8 + 28] == [0, 64, 0, 48])
        // What is shown in pixels; what is coded is even.
        #expect(try Self.content("moov/trak/tkhd", in: bytes).suffix(8) == [0, 63, 0, 0, 0, 47, 0, 0])
        #expect(try Self.content("moov/trak/mdia/mdhd", in: bytes)[12..<16] == Self.long(90_000)[...])
        #expect(try Self.content("moov/mvex/mehd", in: bytes) == [1, 0, 0, 0] + Self.long(0) + Self.long(252_000_000))
        #expect(
            try Self.content("moov/mvex/trex", in: bytes)
                == [0, 1, 1, 3600, 0, 0x0101_0000].flatMap { Self.long($0) })
        for name in ["stts", "stsc", "stco"] {
            #expect(try Self.content("moov/trak/mdia/minf/stbl/" + name, in: bytes) == Self.long(0) + Self.long(0))
        }
        var whole = try Self.movie(64, 48, isSRGB: false)
        buffer.clear()
        #expect(whole.add(Self.group([[[0x65, 1]]]), to: &buffer))
        let other = Array(buffer.readableBytesView)
        #expect(throws: NoBox(name: "clap")) { try Self.content(entry + "/clap", in: other) }
        #expect(try Self.content(entry + "/colr", in: other) == Array("nclx".utf8) + [0, 2, 0, 2, 0, 1, 0])
    }

    @Test func leavesOutFramesThatAreNotThere() throws {
        var movie = try Self.movie()
        var buffer = ByteBuffer()
        #expect(movie.add(Self.group([[], [[0x65, 1]], [], [[0x41, 2]], []]), to: &buffer))
        let run = try Self.content("moof/traf/trun", in: Array(buffer.readableBytesView))
        #expect(run[4..<8] == [0, 0, 0, 2])
    }

    @Test func believesNoGroupThatIsNone() throws {
        let good = Self.group([[[0x65, 1, 2]], [[0x41, 3]]])
        func isTaken(_ group: [UInt8], after first: [UInt8]? = nil) throws -> Bool {
            var movie = try Self.movie()
            var buffer = ByteBuffer()
            if let first { #expect(movie.add(first, to: &buffer)) }
            buffer.clear()
            let isTaken = movie.add(group, to: &buffer)
            #expect(isTaken == (buffer.readableBytes > 0))
            return isTaken
        }
        #expect(try isTaken(good) && isTaken(good, after: good))
        for count in 0..<good.count where count != good.count - 10 { #expect(try !isTaken(Array(good.prefix(count)))) }
        #expect(try !isTaken(good + [0]))
        #expect(try !isTaken([0xFF, 0xFF, 0xFF, 0xFF] + good.dropFirst(4)))
        // None of its frames is there.
        #expect(try !isTaken(Self.group([[], []])))
        // What begins with a picture that needs others, or has one within that needs none.
        #expect(try !isTaken(Self.group([[[0x41, 1]]])))
        #expect(try !isTaken(Self.group([[[0x65, 1]], [[0x65, 2]]])))
        #expect(try !isTaken(Self.group([[[0x65, 1], [0x41, 2]]])))
        // Lengths within a sample that are not its own, or none.
        #expect(try !isTaken(Self.group([[[0x65, 1], []]])))
        #expect(try !isTaken(Self.group([[[0x65]]], sequence: [0x68, 1, 2, 3])))
        #expect(try !isTaken(Self.group([[[0x65]]], sequence: [0x67, 1, 2])))
        #expect(try isTaken(Self.group([[[0x65]]], sequence: [0x67] + [UInt8](repeating: 1, count: 255))))
        #expect(try !isTaken(Self.group([[[0x65]]], sequence: [0x67] + [UInt8](repeating: 1, count: 256))))
        #expect(try !isTaken(Self.group([[[0x65]]], picture: [0x67, 1])))
        // Of another video.
        #expect(try !isTaken(good, after: Self.group([[[0x65]]], picture: [0x68, 1])))
        let thirty = [[[UInt8(0x65), 1]]] + [[[UInt8]]](repeating: [[0x41, 1]], count: 29)
        #expect(try isTaken(Self.group(thirty)))
        #expect(try !isTaken(Self.group(thirty + [[[0x41, 1]]])))
    }

    @Test func knowsWhatIsTooLargeForAVideo() throws {
        #expect(throws: Never.self) { try Self.movie(4096, 2304) }
        #expect(throws: RenderingError.tooLargeForVideo) { try Self.movie(4097, 2304) }
        #expect(throws: RenderingError.tooLargeForVideo) { try Self.movie(8192, 1153) }
        let tiny = try VideoFormat(width: 3, height: 17, frameDuration: .seconds(1), isSRGB: true)
        #expect((tiny.codedWidth, tiny.codedHeight) == (16, 18))
    }
}
