import DICOM
import Testing

/// Random damage: nothing crashes, nothing grows, and how a stream is cut never matters.
@Suite struct MutationTests {
    /// A dataset with nested sequences, unknown VRs and fragments.
    static func seeds() -> [(bytes: [UInt8], syntax: TransferSyntax)] {
        var stream = Stream()
        stream.explicit(.specificCharacterSet, "CS", "GB18030 ")
        stream.explicit(.sopInstanceUID, "UI", "1.2.3\0")
        stream.explicit(.procedureCodeSequence, "SQ", length: 40)
        stream.implicit(.item, length: 32)
        stream.explicit(.codeValue, "SH", "T-1 ")
        stream.explicit(Tag(0x0009, 0x1001), "UN", [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0])
        stream.explicit(.referencedStudySequence, "SQ", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        stream.explicit(.referencedSOPInstanceUID, "UI", "1.2.4\0")
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.sequenceDelimitationItem, length: 0)
        stream.explicit(.patientName, "PN", [0xCD, 0xF5, 0x5E, 0xD5, 0x5C, 0x20])
        stream.explicit(.numberOfFrames, "IS", "2 ")
        stream.explicit(.pixelData, "OB", length: Stream.undefined)
        stream.implicit(.item, [0, 0, 0, 0, 10, 0, 0, 0])
        stream.implicit(.item, [0xFF, 0xD8])
        stream.implicit(.item, [1, 2, 3, 4])
        stream.implicit(.sequenceDelimitationItem, length: 0)
        let sample = DatasetTests.sample()
        return [
            (stream.bytes, .jpegBaseline),
            (sample.encoded(transferSyntax: .implicitVRLittleEndian), .implicitVRLittleEndian),
            (sample.encoded(transferSyntax: .explicitVRBigEndian), .explicitVRBigEndian),
            (Deflate.raw(sample.encoded(transferSyntax: .explicitVRLittleEndian)), .deflatedExplicitVRLittleEndian),
        ]
    }

    static func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: index)
            default: bytes.removeSubrange(index...)
            }
        }
        return bytes
    }

    @Test(arguments: 0..<4)
    func survivesDamage(_ seed: Int) throws {
        let (bytes, syntax) = Self.seeds()[seed]
        var generator = SeededGenerator(seed: UInt64(seed))
        var limits = ScanLimits()
        limits.inflatedByteCount = 1 << 20
        for _ in 0..<4000 {
            let damaged = Self.mutated(bytes, &generator)
            let whole = try scan(damaged, syntax, limits: limits)
            let count = Int.random(in: 1...9, using: &generator)
            let pieces = try scan(damaged, syntax, limits: limits, pieceByteCount: count)
            let text = jsonText(whole.header)
            try #require(text == jsonText(pieces.header), "cut differently, read differently")
            #expect(whole.pixelData == pieces.pixelData)
            #expect(whole.isDamaged == pieces.isDamaged && whole.isTruncated == pieces.isTruncated)
            #expect(whole.isExplicitVR == pieces.isExplicitVR)
            _ = try canonical(damaged, syntax)
            // What was read can be written and read again.
            let again = whole.header.encoded(transferSyntax: .explicitVRLittleEndian)
            _ = try Dataset.parse(again, transferSyntax: .explicitVRLittleEndian)
        }
    }

    @Test func survivesNoise() throws {
        var generator = SeededGenerator(seed: 99)
        let syntaxes: [TransferSyntax] = [
            .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
        ]
        for round in 0..<4000 {
            let count = Int.random(in: 0..<300, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            _ = try scan(bytes, syntaxes[round % 4])
            _ = try? Part10.parseMeta(bytes)
        }
    }
}
