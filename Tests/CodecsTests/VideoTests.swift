import DICOM
import Testing

@testable import Codecs

/// Groups of a video's pictures, in this process and in workers.
@Suite(.timeLimit(.minutes(30))) struct VideoTests {
    private static func group(
        _ frames: [[UInt8]], _ rows: Int, _ columns: Int, quality: Int = 90, isOdd: Bool = false
    ) throws -> VideoRendering {
        let rendering = try RenderingTests.rendering(rows, columns) { _, order in
            order.coding = .video(quality: quality)
            order.window = .init(center: 128, width: 256, shape: .linear)
        }
        let format = try VideoFormat(
            width: columns, height: rows, frameDuration: .milliseconds(40), isSRGB: true)
        return try VideoRendering(
            frames, [FrameRendering](repeating: rendering, count: frames.count), format, isOdd: isOdd)
    }

    /// Slopes that move.
    private static func frames(_ rows: Int, _ columns: Int, count: Int) -> [[UInt8]] {
        (0..<count).map { frame in
            (0..<rows * columns).map { UInt8(($0 % columns * 3 + $0 / columns + frame * 5) & 0xFF) }
        }
    }

    /// What stands behind its length, one after another.
    private static func parts(_ bytes: [UInt8]) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var rest = bytes[...]
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            result.append(Array(rest.dropFirst(4).prefix(length)))
            rest = rest.dropFirst(4 + length)
        }
        return result
    }

    @Test func makesTheSameGroupInAWorker() throws {
        let pool = Workers.pool()
        for isOdd in [false, true] {
            let group = try Self.group(Self.frames(33, 57, count: 30), 33, 57, isOdd: isOdd)
            let made = try pool.start(group).wait()
            #expect(try made == group.group())
            let parts = Self.parts(made)
            #expect(parts.count == 32)
            #expect(parts.prefix(2).map { $0[0] & 31 } == [7, 8])
            // Constrained Baseline, level 4.1.
            #expect(parts[0][1] == 66 && parts[0][2] & 0x40 != 0 && parts[0][3] == 41)
            #expect(parts.dropFirst(2).map { $0[4] & 31 } == [5] + [UInt8](repeating: 1, count: 29))
        }
        #expect(try pool.works())
    }

    @Test func givesEveryGroupTheSameParameterSets() throws {
        let even = Self.parts(try Self.group(Self.frames(48, 64, count: 3), 48, 64).group())
        let odd = Self.parts(try Self.group(Self.frames(48, 64, count: 3), 48, 64, isOdd: true).group())
        let coarse = Self.parts(try Self.group(Self.frames(48, 64, count: 2), 48, 64, quality: 1).group())
        #expect(even.prefix(2) == odd.prefix(2) && even.prefix(2) == coarse.prefix(2))
        // Neighbours that stand for themselves differ in their identifier.
        #expect(even[2] != odd[2] && even[2].count == odd[2].count)
        #expect(coarse[2].count < even[2].count)
    }

    @Test func leavesOutAFrameThatIsBroken() throws {
        let pool = Workers.pool()
        var frames = Self.frames(48, 64, count: 4)
        frames[0].removeLast()
        frames[2] = []
        let parts = Self.parts(try pool.start(Self.group(frames, 48, 64)).wait())
        #expect(parts.dropFirst(2).map(\.isEmpty) == [true, false, true, false])
        #expect(parts[3][4] & 31 == 5 && parts[5][4] & 31 == 1)
        // One that is longer than any can be.
        frames[1] = [UInt8](repeating: 0, count: 48 * 64 * 2 + (64 << 10) + 1)
        let fewer = Self.parts(try pool.start(Self.group(frames, 48, 64)).wait())
        #expect(fewer.dropFirst(2).map(\.isEmpty) == [true, true, true, false])
        frames[1] = []
        frames[3] = []
        #expect(throws: CodecError.malformed(coding: "native pixel data")) {
            try pool.start(Self.group(frames, 48, 64)).wait()
        }
        #expect(try pool.works())
    }

    /// The encoder has room for about a byte of each pixel; finer grain is made coarser and kills nobody.
    @Test func findsRoomForGrain() throws {
        let pool = Workers.pool()
        var generator = SeededGenerator(seed: 5)
        for (rows, columns) in [(16, 16), (96, 80), (240, 320)] {
            let grain = (0..<3).map { _ in
                (0..<rows * columns).map { _ in generator.next() & 1 == 0 ? UInt8(0) : UInt8(255) }
            }
            let group = try Self.group(grain, rows, columns, quality: 100)
            let made = try pool.start(group).wait()
            #expect(Self.parts(made).count == 5 && Self.parts(made).allSatisfy { !$0.isEmpty })
            #expect(made.count <= group.outputByteCountLimit)
        }
        #expect(try pool.works())
    }

    @Test func takesFramesUpToItsLimitAndNoneBeyond() throws {
        #expect(throws: Never.self) { try Self.group(Self.frames(16, 16, count: 30), 16, 16) }
        #expect(throws: CodecError.badFormat(attribute: "frames")) {
            try Self.group(Self.frames(16, 16, count: 31), 16, 16)
        }
        #expect(throws: CodecError.badFormat(attribute: "frames")) { try Self.group([], 16, 16) }
        let pool = Workers.pool()
        let still = try RenderingTests.rendering(16, 16)
        let format = try VideoFormat(width: 16, height: 16, frameDuration: .milliseconds(40), isSRGB: true)
        #expect(throws: CodecError.badFormat(attribute: "picture")) {
            try VideoRendering(Self.frames(16, 16, count: 1), [still], format, isOdd: false)
        }
        let moving = try RenderingTests.rendering(16, 16) { _, order in order.coding = .video(quality: 90) }
        // Alone it is none: a video is made of groups.
        #expect(throws: CodecError.badFormat(attribute: "format")) {
            try pool.start([UInt8](repeating: 0, count: 256), moving).wait()
        }
        let other = try VideoFormat(width: 18, height: 16, frameDuration: .milliseconds(40), isSRGB: true)
        #expect(throws: CodecError.badFormat(attribute: "picture")) {
            try VideoRendering(Self.frames(16, 16, count: 1), [moving], other, isOdd: false)
        }
    }
}
