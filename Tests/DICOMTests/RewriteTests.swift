import DICOM
import Testing

/// Datasets written in another encoding, byte by byte.
@Suite struct RewriteTests {
    private let syntaxes: [TransferSyntax] = [
        .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
    ]

    @Test func keepsTheDatasetBetweenAllEncodings() throws {
        let sample = DatasetTests.sample()
        for from in syntaxes {
            let source = sample.encoded(transferSyntax: from)
            for to in syntaxes {
                let result = try rewrite(source, from, to)
                #expect(!result.isDamaged)
                #expect(try canonical(result.bytes, to) == canonical(source, from))
                // Twice there and back settles.
                let back = try rewrite(result.bytes, to, from)
                #expect(try rewrite(back.bytes, from, to).bytes == result.bytes)
            }
        }
    }

    @Test func inflates() throws {
        let explicit = DatasetTests.sample().encoded(transferSyntax: .explicitVRLittleEndian)
        var options = RewriteOptions()
        options.fedByteCount = 3
        let result = try rewrite(
            Deflate.raw(explicit), .deflatedExplicitVRLittleEndian, .implicitVRLittleEndian, options)
        #expect(try result.bytes == rewrite(explicit, .explicitVRLittleEndian, .implicitVRLittleEndian).bytes)
    }

    @Test(arguments: [1, 2, 3, 7, 1000])
    func isTheSameHoweverItIsCut(_ fedByteCount: Int) throws {
        var sample = DatasetTests.sample()
        sample.set(.encapsulatedDocument, .OB, bytes: (0..<70_001).map { UInt8(truncatingIfNeeded: $0) })
        sample.set(Tag(0x0018, 0x9087), .FD, bytes: (0..<24_000).map { UInt8(truncatingIfNeeded: $0) })
        sample.set(.waveformData, .OW, bytes: (0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
        for from in syntaxes {
            let source = sample.encoded(transferSyntax: from)
            for to in syntaxes {
                let whole = try rewrite(source, from, to)
                var options = RewriteOptions()
                options.fedByteCount = fedByteCount
                for pieceByteCount in [16, 18, 4096] {
                    options.pieceByteCount = pieceByteCount
                    let pieces = try rewrite(source, from, to, options)
                    #expect(pieces.bytes == whole.bytes)
                    #expect(pieces.pieceCounts.dropLast().allSatisfy { $0 == pieceByteCount })
                    #expect(pieces.pieceCounts.allSatisfy { $0 % 2 == 0 } && pieces.lastCount == 1)
                }
            }
        }
    }

    @Test func marksTheLastPieceWhenTheOutputFillsPiecesExactly() throws {
        var source = Stream()
        source.implicit(.patientID, [UInt8](repeating: 65, count: 24))
        var options = RewriteOptions()
        options.pieceByteCount = 16
        let result = try rewrite(source.bytes, .implicitVRLittleEndian, .explicitVRLittleEndian, options)
        #expect(result.pieceCounts == [16, 16] && result.lastCount == 1)
        let nothing = try rewrite([], .implicitVRLittleEndian, .explicitVRLittleEndian)
        #expect(nothing.pieceCounts == [0] && nothing.lastCount == 1)
    }

    @Test func writesSequencesWithUndefinedLengthsAndNoGroupLengths() throws {
        var source = Stream()
        source.explicit(Tag(0x0008, 0), "UL", [1, 0, 0, 0])
        source.explicit(.referencedStudySequence, "SQ", length: 0)
        source.explicit(.procedureCodeSequence, "SQ", length: 20)
        source.implicit(.item, length: 12)
        source.explicit(.codeValue, "SH", "T-1 ")
        var target = Stream()
        target.implicit(.referencedStudySequence, length: 0)
        target.implicit(.procedureCodeSequence, length: Stream.undefined)
        target.implicit(.item, length: Stream.undefined)
        target.implicit(.codeValue, "T-1 ")
        target.implicit(.itemDelimitationItem, length: 0)
        target.implicit(.sequenceDelimitationItem, length: 0)
        let result = try rewrite(source.bytes, .explicitVRLittleEndian, .implicitVRLittleEndian)
        #expect(result.bytes == target.bytes)
    }

    @Test func padsOddLengthsAsTheVRWants() throws {
        var source = Stream()
        source.explicit(.sopInstanceUID, "UI", "1.2")
        source.explicit(.patientID, "LO", "ABC")
        source.explicit(.encapsulatedDocument, "OB", [1])
        source.explicit(Tag(0x0013, 0x1001), "UN", [5, 6, 7])
        var target = Stream()
        target.explicit(.sopInstanceUID, "UI", "1.2\0")
        target.explicit(.patientID, "LO", "ABC ")
        target.explicit(.encapsulatedDocument, "OB", [1, 0])
        target.explicit(Tag(0x0013, 0x1001), "UN", [5, 6, 7, 0])
        let result = try rewrite(source.bytes, .explicitVRLittleEndian, .explicitVRLittleEndian)
        #expect(result.bytes == target.bytes)
    }

    @Test func writesPrivateElementsOfImplicitVRAsUnknown() throws {
        var source = Stream()
        source.implicit(Tag(0x0013, 0x0010), "OWNER ")
        source.implicit(Tag(0x0013, 0x1001), [1, 2])
        // Looks like a sequence, and is a value all the same.
        let item: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]
        source.implicit(Tag(0x0013, 0x1002), item)
        source.implicit(Tag(0x0013, 0x1003), length: Stream.undefined)
        source.implicit(.item, length: 10)
        source.implicit(.rows, [3, 0])
        source.implicit(.sequenceDelimitationItem, length: 0)
        var target = Stream()
        target.explicit(Tag(0x0013, 0x0010), "LO", "OWNER ")
        target.explicit(Tag(0x0013, 0x1001), "UN", [1, 2])
        target.explicit(Tag(0x0013, 0x1002), "UN", item)
        target.explicit(Tag(0x0013, 0x1003), "SQ", length: Stream.undefined)
        target.implicit(.item, length: Stream.undefined)
        target.explicit(.rows, "US", [3, 0])
        target.implicit(.itemDelimitationItem, length: 0)
        target.implicit(.sequenceDelimitationItem, length: 0)
        let result = try rewrite(source.bytes, .implicitVRLittleEndian, .explicitVRLittleEndian)
        #expect(result.bytes == target.bytes)
    }

    /// PS3.5 §6.2.2: inside UN of undefined length everything is implicit VR little endian.
    @Test(arguments: [false, true])
    func readsUnknownSequencesAsImplicit(_ isBigEndian: Bool) throws {
        var source = Stream()
        source.isBigEndian = isBigEndian
        source.explicit(Tag(0x0013, 0x1003), "UN", length: Stream.undefined)
        var inner = Stream()
        inner.implicit(.item, length: Stream.undefined)
        inner.implicit(.rows, [3, 0])
        inner.implicit(.itemDelimitationItem, length: 0)
        inner.implicit(.sequenceDelimitationItem, length: 0)
        source.bytes += inner.bytes
        source.explicit(.patientID, "LO", "AB")
        var target = Stream()
        target.explicit(Tag(0x0013, 0x1003), "SQ", length: Stream.undefined)
        target.implicit(.item, length: Stream.undefined)
        target.explicit(.rows, "US", [3, 0])
        target.implicit(.itemDelimitationItem, length: 0)
        target.implicit(.sequenceDelimitationItem, length: 0)
        target.explicit(.patientID, "LO", "AB")
        let from: TransferSyntax = isBigEndian ? .explicitVRBigEndian : .explicitVRLittleEndian
        #expect(try rewrite(source.bytes, from, .explicitVRLittleEndian).bytes == target.bytes)
    }

    @Test func writesTooLongShortValuesAsUnknownInLittleEndian() throws {
        var source = Stream()
        source.implicit(.rows, (0..<65_534).map { UInt8(truncatingIfNeeded: $0) })
        let atBound = try rewrite(source.bytes, .implicitVRLittleEndian, .explicitVRBigEndian).bytes
        #expect(atBound[4..<10].elementsEqual([0x55, 0x53, 0xFF, 0xFE, 1, 0]))
        source.bytes = []
        source.implicit(.rows, (0..<65_536).map { UInt8(truncatingIfNeeded: $0) })
        let beyond = try rewrite(source.bytes, .implicitVRLittleEndian, .explicitVRBigEndian).bytes
        #expect(beyond[4..<14].elementsEqual([0x55, 0x4E, 0, 0, 0, 1, 0, 0, 0, 1]))
        let back = try rewrite(beyond, .explicitVRBigEndian, .implicitVRLittleEndian).bytes
        #expect(back == source.bytes)
    }

    @Test func changesTheByteOrderByTheVR() throws {
        var big = Stream()
        big.isBigEndian = true
        big.explicit(.rows, "US", [1, 2])
        big.explicit(Tag(0x0018, 0x9087), "FD", [1, 2, 3, 4, 5, 6, 7, 8])
        big.explicit(Tag(0x0018, 0x9219), "SL", [1, 2, 3, 4])
        big.explicit(.frameIncrementPointer, "AT", [0, 0x18, 0x10, 0x63])
        big.explicit(.encapsulatedDocument, "OB", [1, 2])
        var little = Stream()
        little.explicit(.rows, "US", [2, 1])
        little.explicit(Tag(0x0018, 0x9087), "FD", [8, 7, 6, 5, 4, 3, 2, 1])
        little.explicit(Tag(0x0018, 0x9219), "SL", [4, 3, 2, 1])
        little.explicit(.frameIncrementPointer, "AT", [0x18, 0, 0x63, 0x10])
        little.explicit(.encapsulatedDocument, "OB", [1, 2])
        #expect(try rewrite(big.bytes, .explicitVRBigEndian, .explicitVRLittleEndian).bytes == little.bytes)
        #expect(try rewrite(little.bytes, .explicitVRLittleEndian, .explicitVRBigEndian).bytes == big.bytes)
    }

    @Test func setsAndRemovesTopLevelAttributesInOrder() throws {
        var source = Stream()
        source.explicit(.sopInstanceUID, "UI", "1.2\0")
        source.explicit(.procedureCodeSequence, "SQ", length: 20)
        source.implicit(.item, length: 12)
        source.explicit(.patientID, "LO", "DEEP")
        source.explicit(.patientID, "LO", "OLD ")
        source.explicit(.rows, "US", [1, 0])
        var options = RewriteOptions()
        options.removing = [.procedureCodeSequence, .rows]
        options.replacing.set(.patientID, .LO, string: "NEW")
        options.replacing.set(.imageType, .CS, string: "DERIVED")
        options.replacing.set(.lossyImageCompression, .CS, string: "01")
        options.replacing.set(.planarConfiguration, .US, ints: [1])
        var item = Dataset()
        item.set(.codeValue, .SH, string: "T-1 ")
        options.replacing.set(.referencedStudySequence, items: [item])
        var target = Stream()
        target.explicit(.imageType, "CS", "DERIVED ")
        target.explicit(.sopInstanceUID, "UI", "1.2\0")
        target.explicit(.referencedStudySequence, "SQ", length: Stream.undefined)
        target.implicit(.item, length: Stream.undefined)
        target.explicit(.codeValue, "SH", "T-1 ")
        target.implicit(.itemDelimitationItem, length: 0)
        target.implicit(.sequenceDelimitationItem, length: 0)
        target.explicit(.patientID, "LO", "NEW ")
        target.explicit(.planarConfiguration, "US", [1, 0])
        target.explicit(.lossyImageCompression, "CS", "01")
        #expect(
            try rewrite(source.bytes, .explicitVRLittleEndian, .explicitVRLittleEndian, options).bytes == target.bytes)
    }

    @Test func keepsNestedAttributesOfTheRemovedTags() throws {
        var source = Stream()
        source.explicit(.procedureCodeSequence, "SQ", length: 20)
        source.implicit(.item, length: 12)
        source.explicit(.patientID, "LO", "DEEP")
        var options = RewriteOptions()
        options.removing = [.patientID]
        let result = try rewrite(source.bytes, .explicitVRLittleEndian, .explicitVRLittleEndian, options)
        let syntax = TransferSyntax.explicitVRLittleEndian
        #expect(try canonical(result.bytes, syntax) == canonical(source.bytes, syntax))
    }
}
