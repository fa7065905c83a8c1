import DICOM
import Testing

/// What real peers send, right and wrong.
@Suite struct ScannerTests {
    @Test func convertsTextToUTF8() throws {
        var stream = Stream()
        stream.explicit(.specificCharacterSet, "CS", "GB18030 ")
        stream.explicit(.institutionName, "LO", [0xD5, 0x5C, 0xB0, 0xB2])
        stream.explicit(.patientName, "PN", [0xCD, 0xF5, 0x5E, 0xD5, 0x5C, 0x20])
        let header = try scan(stream.bytes).header
        #expect(header.string(.institutionName) == "誠安")
        #expect(header.strings(.patientName) == ["王^誠"])
    }

    @Test func usesTheCharacterSetOfAnItem() throws {
        var stream = Stream()
        stream.explicit(.specificCharacterSet, "CS", "ISO_IR 100")
        stream.explicit(.procedureCodeSequence, "SQ", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        stream.explicit(.specificCharacterSet, "CS", "GB18030 ")
        stream.explicit(.codeMeaning, "LO", [0xCD, 0xF5])
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.item, length: Stream.undefined)
        stream.explicit(.codeMeaning, "LO", [0xC4, 0xD6])
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.sequenceDelimitationItem, length: 0)
        let items = try scan(stream.bytes).header.items(.procedureCodeSequence)
        #expect(items.map { $0.string(.codeMeaning) } == ["王", "ÄÖ"])
    }

    @Test func turnsBigEndianNumbersAround() throws {
        var stream = Stream(isBigEndian: true)
        stream.explicit(.rows, "US", [0x02, 0x00])
        stream.explicit(.pixelData, "OW", [0, 1, 0, 2])
        let result = try scan(stream.bytes, .explicitVRBigEndian)
        #expect(result.header.int(.rows) == 512)
        #expect(result.isBigEndian && result.isExplicitVR)
    }

    @Test func readsAnUnknownVRByItsCapitals() throws {
        var stream = Stream()
        stream.tag(Tag(0x0009, 0x1001))
        stream.bytes += "ZZ".utf8
        stream.u16(0)
        stream.u32(2)
        stream.bytes += [1, 2]
        stream.tag(Tag(0x0009, 0x1002))
        stream.bytes += "??".utf8
        stream.u16(2)
        stream.bytes += [3, 4]
        stream.explicit(.patientID, "LO", "AB")
        let header = try scan(stream.bytes).header
        #expect(header.bytes(Tag(0x0009, 0x1001)) == [1, 2])
        #expect(header.bytes(Tag(0x0009, 0x1002)) == [3, 4])
        #expect(header[Tag(0x0009, 0x1002)]?.vr == .UN)
        #expect(header.string(.patientID) == "AB")
    }

    @Test func readsWhatIsInsideUnknownOfUndefinedLengthAsImplicit() throws {
        var stream = Stream()
        stream.explicit(Tag(0x0009, 0x1001), "UN", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        stream.implicit(.codeValue, "T-1 ")
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.sequenceDelimitationItem, length: 0)
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes)
        #expect(!result.isDamaged)
        #expect(result.header.items(Tag(0x0009, 0x1001)).first?.string(.codeValue) == "T-1")
        #expect(result.header.string(.patientID) == "AB")
    }

    @Test func readsExplicitItemsInsideUnknownToo() throws {
        var stream = Stream()
        stream.explicit(Tag(0x0009, 0x1001), "UN", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        stream.explicit(.codeValue, "SH", "T-1 ")
        stream.explicit(.codeMeaning, "LO", "x ")
        stream.implicit(.itemDelimitationItem, length: 0)
        stream.implicit(.sequenceDelimitationItem, length: 0)
        let item = try scan(stream.bytes).header.items(Tag(0x0009, 0x1001)).first
        #expect(item?.string(.codeValue) == "T-1" && item?.string(.codeMeaning) == "x")
    }

    @Test func findsASequenceInsideUnknownOfDefinedLength() throws {
        var item = Stream()
        item.implicit(.codeValue, "T-1 ")
        var value = Stream()
        value.implicit(.item, item.bytes)
        var stream = Stream()
        stream.explicit(Tag(0x0009, 0x1001), "UN", value.bytes)
        stream.explicit(Tag(0x0009, 0x1002), "UN", [0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0, 0, 0])
        let header = try scan(stream.bytes).header
        #expect(header.items(Tag(0x0009, 0x1001)).first?.string(.codeValue) == "T-1")
        #expect(header.bytes(Tag(0x0009, 0x1002))?.count == 8)
    }

    @Test func givesUnknownElementsTheirStandardVR() throws {
        var stream = Stream()
        stream.explicit(.patientName, "UN", "Wang")
        #expect(try scan(stream.bytes).header[.patientName]?.vr == .PN)
    }

    @Test func seesThatExplicitIsReallyImplicitAndBack() throws {
        var implicit = Stream()
        implicit.implicit(.specificCharacterSet, "ISO_IR 192")
        implicit.implicit(.patientID, "AB")
        let first = try scan(implicit.bytes, .explicitVRLittleEndian)
        #expect(first.header.string(.patientID) == "AB" && !first.isExplicitVR)
        var explicit = Stream()
        explicit.explicit(.specificCharacterSet, "CS", "ISO_IR 192")
        explicit.explicit(.patientID, "LO", "AB")
        let second = try scan(explicit.bytes, .implicitVRLittleEndian)
        #expect(second.header.string(.patientID) == "AB" && second.isExplicitVR)
        var big = Stream(isBigEndian: true)
        big.explicit(.specificCharacterSet, "CS", "ISO_IR 192")
        big.explicit(.rows, "US", [2, 0])
        #expect(try scan(big.bytes, .explicitVRLittleEndian).header.int(.rows) == 512)
    }

    @Test func ordersTagsAndKeepsTheFirstOfTwo() throws {
        var stream = Stream()
        stream.explicit(.patientID, "LO", "AB")
        stream.explicit(.sopInstanceUID, "UI", "1.2.3\0")
        stream.explicit(.patientID, "LO", "CD")
        let header = try scan(stream.bytes).header
        #expect(header.elements.map(\.tag) == [.sopInstanceUID, .patientID])
        #expect(header.string(.patientID) == "AB")
    }

    @Test func readsOddLengths() throws {
        var stream = Stream()
        stream.explicit(.patientID, "LO", "ABC")
        stream.explicit(.studyID, "SH", "1")
        #expect(try scan(stream.bytes).header.string(.studyID) == "1")
    }

    @Test func leavesPaddingAndGroupLengthsAside() throws {
        var stream = Stream()
        stream.explicit(Tag(0x0010, 0), "UL", [10, 0, 0, 0])
        stream.explicit(.patientID, "LO", "AB")
        stream.explicit(.dataSetTrailingPadding, "OB", [0, 0, 0, 0])
        let result = try scan(stream.bytes)
        #expect(result.header.string(.patientID) == "AB")
        #expect(!result.header.contains(.dataSetTrailingPadding))
        #expect(!result.isDamaged && !result.isTruncated)
    }

    @Test(arguments: [1, 7, 8, 100])
    func stopsQuietlyAtZerosAfterTheEnd(_ count: Int) throws {
        var stream = Stream()
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes + [UInt8](repeating: 0, count: count))
        #expect(result.header.count == 1 && result.isTruncated && !result.isDamaged)
    }

    @Test func keepsWhatIsThereOfACutValue() throws {
        var stream = Stream()
        stream.explicit(.patientID, "LO", "AB")
        stream.explicit(.patientComments, "LT", length: 100)
        stream.bytes += "half".utf8
        let result = try scan(stream.bytes)
        #expect(result.isTruncated && result.header.string(.patientComments) == "half")
        stream.bytes = []
        stream.explicit(.pixelData, "OW", length: 1000)
        stream.bytes += [1, 2, 3]
        let cut = try scan(stream.bytes)
        #expect(cut.isTruncated && cut.pixelData?.valueByteCount == 3)
    }

    @Test func closesWhatIsOpenAtTheEnd() throws {
        var stream = Stream()
        stream.explicit(.contentSequence, "SQ", length: Stream.undefined)
        stream.implicit(.item, length: Stream.undefined)
        stream.explicit(.valueType, "CS", "TEXT")
        let result = try scan(stream.bytes)
        #expect(result.isTruncated)
        #expect(result.header.items(.contentSequence).first?.string(.valueType) == "TEXT")
    }

    @Test func goesOnAfterASequenceThatIsShorterThanItSays() throws {
        var stream = Stream()
        stream.explicit(.procedureCodeSequence, "SQ", length: 200)
        stream.implicit(.item, length: 12)
        stream.explicit(.codeValue, "SH", "T-1 ")
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes)
        #expect(result.isDamaged)
        #expect(result.header.items(.procedureCodeSequence).first?.string(.codeValue) == "T-1")
        #expect(result.header.string(.patientID) == "AB")
    }

    @Test func cutsAValueThatIsLongerThanItsItem() throws {
        var stream = Stream()
        stream.explicit(.procedureCodeSequence, "SQ", length: 20)
        stream.implicit(.item, length: 12)
        stream.explicit(.codeValue, "SH", length: 60_000)
        stream.bytes += "T-1 ".utf8
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes)
        #expect(result.isDamaged && !result.isTruncated)
        #expect(result.header.items(.procedureCodeSequence).first?.string(.codeValue) == "T-1")
        #expect(result.header.string(.patientID) == "AB")
    }

    @Test func goesOnWithoutAnItemDelimiter() throws {
        var stream = Stream()
        stream.explicit(.procedureCodeSequence, "SQ", length: Stream.undefined)
        for _ in 0..<2 {
            stream.implicit(.item, length: Stream.undefined)
            stream.explicit(.codeValue, "SH", "T-1 ")
        }
        stream.implicit(.sequenceDelimitationItem, length: 0)
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes)
        #expect(result.isDamaged)
        #expect(result.header.items(.procedureCodeSequence).count == 2)
        #expect(result.header.string(.patientID) == "AB")
    }

    @Test func skipsAnItemsLastBytesThatAreNoElement() throws {
        var stream = Stream()
        stream.explicit(.procedureCodeSequence, "SQ", length: 23)
        stream.implicit(.item, length: 15)
        stream.explicit(.codeValue, "SH", "T-1 ")
        stream.bytes += [1, 2, 3]
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes)
        #expect(result.isDamaged && result.header.string(.patientID) == "AB")
    }

    @Test func survivesAHeaderThatReachesOverItsItem() throws {
        var stream = Stream()
        stream.explicit(.procedureCodeSequence, "SQ", length: 16)
        stream.implicit(.item, length: 8)
        stream.explicit(.encapsulatedDocument, "OB", [])
        stream.explicit(.patientID, "LO", "AB")
        let result = try scan(stream.bytes)
        #expect(result.isDamaged && result.header.string(.patientID) == "AB")
    }

    @Test func inflatesWithAndWithoutAZlibHeader() throws {
        var stream = Stream()
        stream.explicit(.patientID, "LO", "AB")
        for isRaw in [true, false] {
            let result = try scan(Deflate.raw(stream.bytes, isRaw: isRaw), .deflatedExplicitVRLittleEndian)
            #expect(result.header.string(.patientID) == "AB" && !result.isTruncated && !result.isDamaged)
        }
        let wrong = try scan(Array("no deflate stream at all".utf8), .deflatedExplicitVRLittleEndian)
        #expect(wrong.isDamaged || wrong.isTruncated)
    }

    @Test func readsACommandSet() throws {
        var stream = Stream()
        stream.implicit(.commandGroupLength, [30, 0, 0, 0])
        stream.implicit(.affectedSOPClassUID, "1.2.840.10008.1.1\0")
        stream.implicit(.commandField, [0x30, 0])
        let dataset = try Dataset.parse(stream.bytes, transferSyntax: .implicitVRLittleEndian)
        #expect(dataset.string(.affectedSOPClassUID) == "1.2.840.10008.1.1")
        #expect(dataset.int(.commandField) == 0x30)
    }
}
