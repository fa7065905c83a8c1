import DICOM
import Testing

/// Pixel data that passes, is put in place of other, or cannot stay as it is.
@Suite struct RewritePixelDataTests {
    private static func native(_ pixels: [UInt8] = [1, 2, 3, 4]) -> [UInt8] {
        var stream = Stream()
        stream.explicit(.rows, "US", [1, 0])
        stream.explicit(.pixelData, "OW", pixels)
        stream.explicit(Tag(0xFFFA, 0xFFFA), "SQ", length: 0)
        return stream.bytes
    }

    private static func encapsulated(_ fragments: [[UInt8]]) -> [UInt8] {
        var stream = Stream()
        stream.explicit(.rows, "US", [1, 0])
        stream.explicit(.pixelData, "OB", length: Stream.undefined)
        for fragment in [[]] + fragments { stream.implicit(.item, fragment) }
        stream.implicit(.sequenceDelimitationItem, length: 0)
        stream.explicit(Tag(0xFFFA, 0xFFFA), "SQ", length: 0)
        return stream.bytes
    }

    private func error(
        _ bytes: [UInt8], _ from: TransferSyntax, _ to: TransferSyntax, _ pixelData: PixelDataRewrite = .passThrough
    ) -> String? {
        var options = RewriteOptions()
        options.pixelData = pixelData
        do throws(RewriteError) {
            _ = try rewrite(bytes, from, to, options)
            return nil
        } catch { return error.name }
    }

    @Test func writesFramesAsFragmentsBehindAnEmptyTable() throws {
        var options = RewriteOptions()
        options.pixelData = .encapsulated(frames: FrameSource([[9, 8], [7, 6, 5]]))
        for count in [1, 5, Int.max] {
            options.fedByteCount = count
            let result = try rewrite(Self.native(), .explicitVRLittleEndian, .jpegLSLossless, options)
            #expect(result.bytes == Self.encapsulated([[9, 8], [7, 6, 5, 0]]))
        }
    }

    @Test func writesFramesOneAfterAnotherAndPadsTheEnd() throws {
        var options = RewriteOptions()
        options.pixelData = .native(vr: .OW, byteCount: 5, frames: FrameSource([[9, 8], [7, 6, 5]]))
        let source = Self.encapsulated([[1, 2], [3, 4]])
        for count in [1, 5, Int.max] {
            options.fedByteCount = count
            let result = try rewrite(source, .jpegLSLossless, .explicitVRLittleEndian, options)
            #expect(result.bytes == Self.native([9, 8, 7, 6, 5, 0]))
        }
    }

    @Test func writesNativeFramesInTheTargetsByteOrder() throws {
        var options = RewriteOptions()
        options.pixelData = .native(vr: .OW, byteCount: 4, frames: FrameSource([[1, 2], [3, 4]]))
        let bytes = try rewrite(Self.encapsulated([[0, 0]]), .rleLossless, .explicitVRBigEndian, options).bytes
        let back = try rewrite(bytes, .explicitVRBigEndian, .explicitVRLittleEndian).bytes
        #expect(back == Self.native())
    }

    @Test func giveMayComeSeveralTimesForANativeFrame() throws {
        var options = RewriteOptions()
        let frames = FrameSource(frameCount: 1) { _, give in
            for byte in [9, 8, 7, 6] as [UInt8] { try [byte].withUnsafeBytes { try give($0) } }
        }
        options.pixelData = .native(vr: .OB, byteCount: 4, frames: frames)
        let result = try rewrite(Self.native(), .explicitVRLittleEndian, .implicitVRLittleEndian, options)
        let back = try Dataset.parse(result.bytes, transferSyntax: .implicitVRLittleEndian)
        guard case .bulk(_, 4) = back[.pixelData]?.value else {
            Issue.record("no pixel data")
            return
        }
    }

    @Test func refusesFramesThatAreNotWhatWasAnnounced() {
        let native = Self.native()
        let from = TransferSyntax.explicitVRLittleEndian
        for frames in [[[1, 2]], [[1, 2], [3, 4, 5]], [[1, 2, 3, 4, 5]], []] as [[[UInt8]]] {
            let pixelData = PixelDataRewrite.native(vr: .OB, byteCount: 4, frames: FrameSource(frames))
            #expect(error(native, from, from, pixelData) == "wrongPixelData")
        }
        let twice = FrameSource(frameCount: 1) { _, give in
            try [UInt8(1)].withUnsafeBytes { try give($0) }
            try [UInt8(2)].withUnsafeBytes { try give($0) }
        }
        #expect(error(native, from, .jpegLSLossless, .encapsulated(frames: twice)) == "wrongPixelData")
        let none = FrameSource(frameCount: 1) { _, _ in }
        #expect(error(native, from, .jpegLSLossless, .encapsulated(frames: none)) == "wrongPixelData")
        let empty = FrameSource([[]])
        #expect(error(native, from, .jpegLSLossless, .encapsulated(frames: empty)) == "wrongPixelData")
        let silent = FrameSource(frameCount: 1) { _, give in
            try? [UInt8](repeating: 0, count: 9).withUnsafeBytes { try give($0) }
        }
        #expect(error(native, from, from, .native(vr: .OB, byteCount: 4, frames: silent)) == "wrongPixelData")
    }

    /// A length field holds 32 bits, and all ones mean undefined.
    @Test func refusesMoreNativeBytesThanALengthHolds() {
        let frames = FrameSource([])
        for count in [UInt64(UInt32.max) - 1, UInt64(UInt32.max), UInt64(UInt32.max) + 1, .max] {
            let pixelData = PixelDataRewrite.native(vr: .OB, byteCount: count, frames: frames)
            let name = error(Self.native(), .explicitVRLittleEndian, .explicitVRLittleEndian, pixelData)
            #expect(name == "wrongPixelData")
        }
    }

    @Test func passesOnWhatTheFramesAndTheOutputThrow() throws {
        let broken = FrameSource(frameCount: 1) { _, _ in throw Broken() }
        #expect(
            error(Self.native(), .explicitVRLittleEndian, .jpegLSLossless, .encapsulated(frames: broken)) == "frames")
        var rewriter = try DatasetRewriter(
            from: .explicitVRLittleEndian, to: .explicitVRLittleEndian,
            pixelData: .native(vr: .OB, byteCount: 100, frames: FrameSource([[UInt8](repeating: 1, count: 100)])),
            pieceByteCount: 16
        ) { _, _ in throw Broken() }
        var names: [String] = []
        for _ in 0..<2 {
            do throws(RewriteError) { try rewriter.feed(Self.native()) } catch { names.append(error.name) }
        }
        do throws(RewriteError) { _ = try rewriter.finish() } catch { names.append(error.name) }
        #expect(names == ["output", "output", "output"])
    }

    @Test func refusesPixelDataThatCannotStayAsItIs() {
        let native = Self.native()
        let compressed = Self.encapsulated([[1, 2]])
        #expect(error(native, .explicitVRLittleEndian, .jpegLSLossless) == "pixelDataDoesNotFit")
        #expect(error(compressed, .jpegLSLossless, .explicitVRLittleEndian) == "pixelDataDoesNotFit")
        #expect(error(compressed, .jpegLSLossless, .implicitVRLittleEndian) == "pixelDataDoesNotFit")
        #expect(error(compressed, .jpeg2000Lossless, .jpeg2000) == nil)
        #expect(error(compressed, .jpegLSLossless, .jpegLSLossless) == nil)
        #expect(error(native, .jpegLSLossless, .jpegLSLossless) == nil)
        #expect(error(native, .explicitVRLittleEndian, .deflatedExplicitVRLittleEndian) == "targetNotWritable")
    }

    @Test func refusesNewFramesThatTheTargetDoesNotHoldSo() {
        let frames = FrameSource([[1, 2, 3, 4]])
        let native = PixelDataRewrite.native(vr: .OW, byteCount: 4, frames: frames)
        let source = Self.native()
        #expect(error(source, .explicitVRLittleEndian, .jpegLSLossless, native) == "pixelDataDoesNotFit")
        #expect(
            error(source, .explicitVRLittleEndian, .implicitVRLittleEndian, .encapsulated(frames: frames))
                == "pixelDataDoesNotFit")
    }

    @Test func refusesACompressedIconInANativeSyntax() {
        var stream = Stream()
        stream.explicit(.iconImageSequence, "SQ", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        stream.bytes += Self.encapsulated([[1, 2]])
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.sequenceDelimitationItem, length: 0)
        #expect(error(stream.bytes, .jpegBaseline, .implicitVRLittleEndian) == "pixelDataDoesNotFit")
        #expect(error(stream.bytes, .jpegBaseline, .jpegBaseline) == nil)
        var options = RewriteOptions()
        options.removing = [.iconImageSequence]
        #expect(throws: Never.self) {
            let result = try rewrite(stream.bytes, .jpegBaseline, .implicitVRLittleEndian, options)
            #expect(result.bytes.isEmpty)
        }
    }

    @Test func refusesNewFramesWithoutPixelData() {
        var stream = Stream()
        stream.explicit(.patientID, "LO", "AB")
        let frames = PixelDataRewrite.encapsulated(frames: FrameSource([[1, 2]]))
        #expect(error(stream.bytes, .explicitVRLittleEndian, .jpegLSLossless, frames) == "noPixelData")
    }

    @Test func keepsFragmentsAndTheirTableAsTheyAre() throws {
        var stream = Stream()
        stream.explicit(.pixelData, "OB", length: Stream.undefined)
        stream.implicit(.item, [0, 0, 0, 0, 11, 0, 0, 0])
        // Odd, against the standard: padding it would make the table wrong.
        stream.implicit(.item, [1, 2, 3])
        stream.implicit(.item, [4, 5])
        stream.implicit(.sequenceDelimitationItem, length: 0)
        var options = RewriteOptions()
        options.fedByteCount = 5
        #expect(try rewrite(stream.bytes, .jpeg2000Lossless, .jpeg2000, options).bytes == stream.bytes)
    }

    @Test func skipsWhatNeedNotBeRead() throws {
        let fragments = [[UInt8](repeating: 1, count: 300), [UInt8](repeating: 2, count: 200)]
        for source in [Self.native([UInt8](repeating: 7, count: 500)), Self.encapsulated(fragments)] {
            let layout = try #require(try scan(source, .jpegLSLossless).pixelData)
            for fedByteCount in [1, 10, 64, 400] {
                let collector = PieceCollector()
                var rewriter = try DatasetRewriter(
                    from: .jpegLSLossless, to: .explicitVRLittleEndian,
                    pixelData: .native(vr: .OW, byteCount: 4, frames: FrameSource([[1, 2, 3, 4]]))
                ) { collector.take($0, isLast: $1) }
                var start = 0
                var fed = 0
                while start < source.count {
                    let end = start + min(fedByteCount, source.count - start)
                    try rewriter.feed(source[start..<end])
                    fed += end - start
                    start = rewriter.skipReplacedPixelData(layout).map { Int($0) } ?? end
                }
                let result = try rewriter.finish()
                #expect(!result.isDamaged && collector.result.bytes == Self.native())
                #expect(fed < 500)
            }
        }
    }
}
