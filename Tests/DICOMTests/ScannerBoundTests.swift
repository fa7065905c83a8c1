import CZlib
import DICOM
import Testing

/// At each bound and one past it.
@Suite struct ScannerBoundTests {
    /// `depth` sequences inside each other, of undefined or defined lengths.
    static func nested(_ depth: Int, isDefined: Bool = false) -> [UInt8] {
        var stream = Stream()
        if isDefined {
            for level in (0..<depth).reversed() {
                var outer = Stream()
                outer.explicit(.contentSequence, "SQ", length: UInt32(stream.bytes.count + 8))
                outer.implicit(.item, length: UInt32(stream.bytes.count))
                stream.bytes = outer.bytes + stream.bytes
                if level == 0 { break }
            }
            return stream.bytes
        }
        for _ in 0..<depth {
            stream.explicit(.contentSequence, "SQ", length: Stream.undefined)
            stream.implicit(.item, length: Stream.undefined)
        }
        for _ in 0..<depth {
            stream.implicit(.itemDelimitationItem, length: 0)
            stream.implicit(.sequenceDelimitationItem, length: 0)
        }
        return stream.bytes
    }

    @Test(arguments: [false, true])
    func refusesOneLevelTooMany(_ isDefined: Bool) throws {
        let result = try scan(Self.nested(64, isDefined: isDefined))
        #expect(!result.isDamaged && !result.isTruncated)
        var depth = 0
        var level = result.header
        while let item = level.items(.contentSequence).first {
            depth += 1
            level = item
        }
        #expect(depth == 64)
        let error = #expect(throws: ParseError.self) { try scan(Self.nested(65, isDefined: isDefined)) }
        guard case .tooDeep(limit: 64, _) = error else {
            Issue.record("wrong error")
            return
        }
    }

    @Test func refusesAHundredThousandNestedItems() {
        #expect(throws: ParseError.tooDeep(limit: 64, byteOffset: 64 * 20 + 12)) { try scan(Self.nested(100_000)) }
    }

    @Test func boundsElementsAndItems() throws {
        var stream = Stream()
        stream.explicit(.contentSequence, "SQ", length: Stream.undefined)
        for _ in 0..<9 { stream.implicit(.item, length: 0) }
        stream.implicit(.sequenceDelimitationItem, length: 0)
        var limits = ScanLimits()
        limits.elementCount = 10
        #expect(try scan(stream.bytes, limits: limits).header.items(.contentSequence).count == 9)
        limits.elementCount = 9
        #expect(throws: ParseError.self) { try scan(stream.bytes, limits: limits) }
    }

    @Test func holdsValuesUpToTheBound() throws {
        var stream = Stream()
        stream.explicit(Tag(0x0042, 0x0011), "OB", [UInt8](repeating: 1, count: 64))
        var limits = ScanLimits()
        limits.heldValueByteCount = 64
        #expect(try scan(stream.bytes, limits: limits).header.bytes(.encapsulatedDocument)?.count == 64)
        limits.heldValueByteCount = 63
        let element = try scan(stream.bytes, limits: limits).header[.encapsulatedDocument]
        guard case .bulk(offset: 12, length: 64) = element?.value else {
            Issue.record("not bulk")
            return
        }
    }

    @Test func boundsTheHeldHeader() throws {
        var stream = Stream()
        for element in 0..<4 as Range<UInt16> { stream.explicit(Tag(0x0011, 0x1000 + element), "LO", "0123456789") }
        var limits = ScanLimits()
        limits.headerByteCount = 40
        #expect(try scan(stream.bytes, limits: limits).header.count == 4)
        limits.headerByteCount = 39
        #expect(throws: ParseError.headerTooLarge(limit: 39, byteOffset: 62)) { try scan(stream.bytes, limits: limits) }
    }

    @Test func boundsFragments() throws {
        var stream = Stream()
        stream.explicit(.pixelData, "OB", length: Stream.undefined)
        stream.implicit(.item, length: 0)
        for _ in 0..<5 { stream.implicit(.item, [1, 2]) }
        stream.implicit(.sequenceDelimitationItem, length: 0)
        var limits = ScanLimits()
        limits.fragmentCount = 5
        #expect(try scan(stream.bytes, limits: limits).pixelData?.fragmentCount == 5)
        limits.fragmentCount = 4
        #expect(throws: ParseError.self) { try scan(stream.bytes, limits: limits) }
    }

    @Test func boundsWhatADeflatedDatasetGrowsTo() throws {
        var stream = Stream()
        stream.explicit(.encapsulatedDocument, "OB", [UInt8](repeating: 0, count: 1_000_000))
        let deflated = Deflate.raw(stream.bytes)
        #expect(deflated.count < 2000)
        var limits = ScanLimits()
        limits.inflatedByteCount = UInt64(stream.bytes.count)
        let result = try scan(deflated, .deflatedExplicitVRLittleEndian, limits: limits)
        #expect(result.header.count == 1 && !result.isTruncated)
        #expect(result.byteCount == UInt64(deflated.count))
        limits.inflatedByteCount -= 1
        #expect(throws: ParseError.self) { try scan(deflated, .deflatedExplicitVRLittleEndian, limits: limits) }
    }

    /// Little that makes much is stopped early; what is not much may be little before.
    @Test func boundsHowManyTimesADeflatedDatasetGrows() throws {
        var stream = Stream()
        stream.explicit(.encapsulatedDocument, "OB", [UInt8](repeating: 0, count: 1_000_000))
        let deflated = Deflate.raw(stream.bytes)
        var limits = ScanLimits()
        limits.inflatedRatio = 200
        limits.inflatedFreeByteCount = UInt64(stream.bytes.count)
        #expect(try !scan(deflated, .deflatedExplicitVRLittleEndian, limits: limits).isTruncated)
        limits.inflatedFreeByteCount -= 1
        #expect(throws: ParseError.inflatedTooMuch(ratio: 200, byteOffset: UInt64(stream.bytes.count))) {
            try scan(deflated, .deflatedExplicitVRLittleEndian, limits: limits)
        }
        // Nothing deflates to less than a 1032nd.
        limits.inflatedFreeByteCount = 0
        limits.inflatedRatio = 1032
        #expect(try !scan(deflated, .deflatedExplicitVRLittleEndian, limits: limits).isTruncated)
        limits.inflatedRatio = UInt64(stream.bytes.count / deflated.count)
        #expect(throws: ParseError.self) { try scan(deflated, .deflatedExplicitVRLittleEndian, limits: limits) }
        #expect(throws: RewriteError.self) {
            var options = RewriteOptions()
            options.limits = limits
            _ = try rewrite(deflated, .deflatedExplicitVRLittleEndian, .explicitVRLittleEndian, options)
        }
    }

    @Test func holdsNothingOfGigabytes() throws {
        var stream = Stream()
        stream.explicit(.pixelData, "OW", length: 4_000_000_000)
        var scanner = DatasetScanner(transferSyntax: .explicitVRLittleEndian)
        try scanner.feed(stream.bytes)
        let piece = [UInt8](repeating: 7, count: 4_000_000)
        for _ in 0..<1000 { try scanner.feed(piece) }
        let result = try scanner.finish()
        #expect(result.pixelData?.valueByteCount == 4_000_000_000)
        #expect(!result.isTruncated)
    }

    @Test func namesNoValueInAnError() {
        for error in [
            ParseError.tooDeep(limit: 64, byteOffset: 9), .headerTooLarge(limit: 1, byteOffset: 2), .outOfMemory,
        ] {
            #expect(!error.description.isEmpty)
        }
    }
}

/// Deflates for tests.
enum Deflate {
    /// - Parameter isRaw: as the standard wants; else with the zlib header some writers add.
    static func raw(_ bytes: [UInt8], isRaw: Bool = true) -> [UInt8] {
        var stream = z_stream()
        guard huizhen_deflate_init(&stream, 9, isRaw ? -MAX_WBITS : MAX_WBITS) == Z_OK else { return [] }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: bytes.count + 1024)
        input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                _ = deflate(&stream, Z_FINISH)
            }
        }
        return Array(output[..<(output.count - Int(stream.avail_out))])
    }
}
