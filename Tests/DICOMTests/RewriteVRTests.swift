import DICOM
import Testing

/// Value representations that PS3.6 leaves open, decided when implicit VR becomes explicit.
@Suite struct RewriteVRTests {
    /// The VR that the last element gets.
    private func vr(_ tag: Tag, after build: (inout Stream) -> Void, header: Dataset = Dataset()) throws -> String {
        var source = Stream()
        build(&source)
        source.implicit(tag, [1, 0])
        var options = RewriteOptions()
        options.header = header
        let bytes = try rewrite(source.bytes, .implicitVRLittleEndian, .explicitVRLittleEndian, options).bytes
        let element = try #require(
            try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)[tag], "\(tag) is not there")
        // Long and short VRs have their two letters in the same place.
        let count = element.vr.isLong ? 14 : 10
        return String(decoding: bytes[(bytes.count - count + 4)..<(bytes.count - count + 6)], as: UTF8.self)
    }

    @Test(arguments: [(UInt8(0), "US"), (1, "SS")])
    func followsThePixelRepresentation(_ value: UInt8, _ expected: String) throws {
        for element in [0x0106, 0x0120, 0x0121, 0x1101, 0x3002] as [UInt16] {
            #expect(try vr(Tag(0x0028, element)) { $0.implicit(.pixelRepresentation, [value, 0]) } == expected)
        }
        #expect(try vr(Tag(0x0028, 0x1050)) { $0.implicit(.pixelRepresentation, [value, 0]) } == "DS")
        #expect(try vr(.rows) { $0.implicit(.pixelRepresentation, [value, 0]) } == "US")
    }

    @Test func takesThePixelRepresentationAroundAnItem() throws {
        var source = Stream()
        source.implicit(.pixelRepresentation, [1, 0])
        source.implicit(Tag(0x0028, 0x3010), length: Stream.undefined)
        source.implicit(.item, length: 10)
        source.implicit(Tag(0x0028, 0x3002), [1, 0])
        source.implicit(.sequenceDelimitationItem, length: 0)
        let bytes = try rewrite(source.bytes, .implicitVRLittleEndian, .explicitVRLittleEndian).bytes
        let items = try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian).items(Tag(0x0028, 0x3010))
        #expect(items.first?[Tag(0x0028, 0x3002)]?.vr == .SS)
    }

    @Test func asksTheHeaderForWhatComesLater() throws {
        var header = Dataset()
        header.set(.pixelRepresentation, .US, ints: [1])
        let tag = Tag(0x0018, 0x9810)
        #expect(try vr(tag, after: { _ in }) == "US")
        #expect(try vr(tag, after: { _ in }, header: header) == "SS")
    }

    @Test func writesPixelsAndOverlaysAsWordsOrBytes() throws {
        #expect(try vr(.pixelData) { $0.implicit(.bitsAllocated, [8, 0]) } == "OB")
        #expect(try vr(.pixelData) { $0.implicit(.bitsAllocated, [16, 0]) } == "OW")
        #expect(try vr(.overlayData) { $0.implicit(.bitsAllocated, [8, 0]) } == "OW")
        #expect(try vr(Tag(0x601E, 0x3000)) { $0.implicit(.bitsAllocated, [8, 0]) } == "OW")
        #expect(try vr(.waveformData) { $0.implicit(.waveformBitsAllocated, [8, 0]) } == "OB")
        #expect(try vr(.waveformData) { $0.implicit(.waveformBitsAllocated, [16, 0]) } == "OW")
    }

    @Test func writesTablesAsWordsUnlessTheyHaveOneEntry() throws {
        let data = Tag(0x0028, 0x3006)
        #expect(try vr(data) { $0.implicit(Tag(0x0028, 0x3002), [1, 0, 0, 0, 16, 0]) } == "US")
        #expect(try vr(data) { $0.implicit(Tag(0x0028, 0x3002), [2, 0, 0, 0, 16, 0]) } == "OW")
        #expect(try vr(data) { _ in } == "OW")
    }

    @Test func keepsAVRThatIsWritten() throws {
        var source = Stream()
        source.explicit(.bitsAllocated, "US", [8, 0])
        source.explicit(.pixelRepresentation, "US", [1, 0])
        source.explicit(.smallestImagePixelValue, "US", [1, 0])
        source.explicit(.pixelData, "OW", [1, 0])
        #expect(try rewrite(source.bytes, .explicitVRLittleEndian, .explicitVRLittleEndian).bytes == source.bytes)
    }

    /// Whoever reads implicit VR would take the text for items.
    @Test func writesNoValueUnderASequencesTagWhereNoVRSaysSo() throws {
        var source = Stream()
        source.explicit(.referencedStudySequence, "CS", "NO ITEMS")
        let explicit = TransferSyntax.explicitVRLittleEndian
        #expect(try rewrite(source.bytes, explicit, explicit).bytes == source.bytes)
        let refusal = #expect(throws: RewriteError.self) {
            try rewrite(source.bytes, explicit, .implicitVRLittleEndian)
        }
        #expect(refusal?.name == "valueOfSequence")
        let header = try Dataset.parse(source.bytes, transferSyntax: explicit)
        #expect(throws: TranscodingError.valueOfSequence(.referencedStudySequence)) {
            try Transcoding.plan(header: header, from: explicit, to: .implicitVRLittleEndian, layout: nil)
        }
        var nested = Dataset()
        nested.set(.referencedSeriesSequence, items: [header])
        #expect(throws: TranscodingError.valueOfSequence(.referencedStudySequence)) {
            try Transcoding.plan(header: nested, from: explicit, to: .implicitVRLittleEndian, layout: nil)
        }
        var empty = Stream()
        empty.explicit(.referencedStudySequence, "CS", "")
        #expect(try rewrite(empty.bytes, explicit, .implicitVRLittleEndian).bytes.count == 8)
    }

    @Test func namesTheVROfKnownAttributesWrittenAsUnknown() throws {
        var source = Stream()
        source.explicit(.patientID, "UN", "ABCD")
        source.explicit(.pixelRepresentation, "UN", [1, 0])
        source.explicit(.smallestImagePixelValue, "UN", [1, 0])
        var target = Stream()
        target.explicit(.patientID, "LO", "ABCD")
        target.explicit(.pixelRepresentation, "US", [1, 0])
        target.explicit(.smallestImagePixelValue, "SS", [1, 0])
        #expect(try rewrite(source.bytes, .explicitVRLittleEndian, .explicitVRLittleEndian).bytes == target.bytes)
    }
}
