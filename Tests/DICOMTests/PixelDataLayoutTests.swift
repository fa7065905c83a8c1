import DICOM
import Testing

@Suite struct PixelDataLayoutTests {
    private func image(
        rows: UInt8 = 2, columns: UInt8 = 3, bits: UInt8 = 16, samples: UInt8 = 1, frames: Int = 1,
        photometric: String = "MONOCHROME2 ", pixels: (inout Stream) -> Void
    ) throws -> PixelDataLayout {
        var stream = Stream()
        stream.explicit(.samplesPerPixel, "US", [samples, 0])
        stream.explicit(.photometricInterpretation, "CS", photometric)
        stream.explicit(.numberOfFrames, "IS", "\(frames)")
        stream.explicit(.rows, "US", [rows, 0])
        stream.explicit(.columns, "US", [columns, 0])
        stream.explicit(.bitsAllocated, "US", [bits, 0])
        pixels(&stream)
        let whole = try scan(stream.bytes)
        let layout = try #require(whole.pixelData)
        #expect(try scan(stream.bytes, pieceByteCount: 1).pixelData == layout)
        #expect(PixelDataLayout(encoded: layout.encoded()) == layout)
        return layout
    }

    private func ranges(_ layout: PixelDataLayout, _ index: Int) -> [[UInt64]] {
        layout.frameRanges(index).map { [$0.offset - layout.valueOffset, $0.length] }
    }

    @Test func findsNativeFrames() throws {
        let layout = try image(frames: 3) { $0.explicit(.pixelData, "OW", [UInt8](repeating: 1, count: 36)) }
        #expect(layout.frames == 3 && !layout.isEncapsulated && layout.isByteAligned)
        #expect(ranges(layout, 2) == [[24, 12]])
        #expect(layout.frameRanges(3).isEmpty && layout.frameRanges(-1).isEmpty)
    }

    @Test func countsOnlyFramesWhoseBytesAreThere() throws {
        let layout = try image(frames: 1000) { $0.explicit(.pixelData, "OW", [UInt8](repeating: 1, count: 35)) }
        #expect(layout.declaredFrameCount == 1000 && layout.frames == 2)
        let none = try image(rows: 255, columns: 255) { $0.explicit(.pixelData, "OW", [1, 2]) }
        #expect(none.frames == 0)
    }

    @Test func findsFramesOfSingleBits() throws {
        let layout = try image(rows: 3, columns: 3, bits: 1, frames: 4) {
            $0.explicit(.pixelData, "OB", [1, 2, 3, 4, 5, 6])
        }
        #expect(layout.frames == 4 && !layout.isByteAligned)
        #expect(ranges(layout, 0) == [[0, 2]] && layout.firstBit(ofFrame: 0) == 0)
        #expect(ranges(layout, 1) == [[1, 2]] && layout.firstBit(ofFrame: 1) == 1)
        #expect(ranges(layout, 3) == [[3, 2]] && layout.firstBit(ofFrame: 3) == 3)
    }

    @Test func knowsHalvedChromaFromFull() throws {
        let photometric = "YBR_FULL_422"
        let halved = try image(bits: 8, samples: 3, photometric: photometric) {
            $0.explicit(.pixelData, "OB", [UInt8](repeating: 1, count: 12))
        }
        #expect(halved.frames == 1 && halved.frameBitCount == 96)
        let full = try image(bits: 8, samples: 3, photometric: photometric) {
            $0.explicit(.pixelData, "OB", [UInt8](repeating: 1, count: 18))
        }
        #expect(full.frames == 1 && full.frameBitCount == 144)
    }

    /// Fragments of the given bytes after an offset table.
    private func encapsulate(_ stream: inout Stream, table: [UInt32], _ fragments: [[UInt8]]) {
        stream.explicit(.pixelData, "OB", length: Stream.undefined)
        stream.implicit(.item, length: UInt32(table.count * 4))
        for entry in table { stream.u32(entry) }
        for fragment in fragments { stream.implicit(.item, fragment) }
        stream.implicit(.sequenceDelimitationItem, length: 0)
    }

    @Test func takesOneFragmentForEachFrame() throws {
        let layout = try image(frames: 2) { encapsulate(&$0, table: [], [[1, 2], [3, 4, 5, 6]]) }
        #expect(layout.isEncapsulated && layout.frames == 2 && layout.fragmentCount == 2)
        #expect(ranges(layout, 0) == [[16, 2]])
        #expect(ranges(layout, 1) == [[26, 4]])
    }

    @Test func takesAllFragmentsForASingleFrame() throws {
        let layout = try image { encapsulate(&$0, table: [0], [[1, 2], [3, 4], []]) }
        #expect(layout.frames == 1 && layout.frameRanges(0).count == 3)
    }

    @Test func followsTheBasicOffsetTable() throws {
        let layout = try image(frames: 2) { encapsulate(&$0, table: [0, 20], [[1, 2], [3, 4], [5, 6]]) }
        #expect(layout.frames == 2)
        #expect(ranges(layout, 0) == [[24, 2], [34, 2]])
        #expect(ranges(layout, 1) == [[44, 2]])
    }

    @Test func doesNotFollowATableThatPointsNowhere() throws {
        let layout = try image(frames: 2) { encapsulate(&$0, table: [0, 19], [[1, 2], [3, 4], [5, 6]]) }
        #expect(layout.frames == 0 && layout.fragmentCount == 3)
    }

    @Test func findsFramesByTheirFirstBytes() throws {
        let start: [UInt8] = [0xFF, 0xD8, 0xFF, 0xE0]
        let layout = try image(frames: 2) { encapsulate(&$0, table: [], [start, [1, 2], start, [3, 4]]) }
        #expect(layout.frames == 2 && layout.frameRanges(1).count == 2)
    }

    @Test func followsTheExtendedOffsetTable() throws {
        let layout = try image(frames: 2) { stream in
            stream.explicit(.extendedOffsetTable, "OV", [0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0])
            stream.explicit(.extendedOffsetTableLengths, "OV", [1, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0])
            encapsulate(&stream, table: [], [[1, 0], [3, 4, 5, 0]])
        }
        #expect(ranges(layout, 0) == [[16, 1]] && ranges(layout, 1) == [[26, 3]])
    }

    @Test func leavesPixelDataOfAnIconAside() throws {
        var stream = Stream()
        stream.explicit(.iconImageSequence, "SQ", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        encapsulate(&stream, table: [], [[1, 2]])
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.sequenceDelimitationItem, length: 0)
        stream.explicit(.pixelData, "OB", [1, 2, 3, 4])
        let result = try scan(stream.bytes)
        #expect(result.pixelData?.isEncapsulated == false && result.pixelData?.valueByteCount == 4)
        guard case .fragments(let icon) = result.header.items(.iconImageSequence).first?[.pixelData]?.value else {
            Issue.record("no fragments")
            return
        }
        #expect(icon.count == 1 && icon.length == 26)
    }

    @Test func refusesADamagedForm() throws {
        let layout = try image(frames: 2) { encapsulate(&$0, table: [0, 20], [[1, 2], [3, 4], [5, 6]]) }
        let bytes = layout.encoded()
        for count in 0..<bytes.count { #expect(PixelDataLayout(encoded: Array(bytes[..<count])) == nil) }
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<5000 {
            var changed = bytes
            changed[Int.random(in: 0..<changed.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            guard let read = PixelDataLayout(encoded: changed) else { continue }
            for frame in 0..<min(read.frames, 10) { _ = read.frameRanges(frame) }
        }
    }
}
