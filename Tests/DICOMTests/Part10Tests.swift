import DICOM
import Testing

@Suite struct Part10Tests {
    private var dataset: [UInt8] {
        var stream = Stream()
        stream.explicit(.sopClassUID, "UI", "1.2.3\0")
        return stream.bytes
    }

    @Test func readsTheHeaderItWrites() throws {
        let header = Part10.header(
            sopClassUID: "1.2.840.10008.5.1.4.1.1.2", sopInstanceUID: "1.2.3", transferSyntax: .jpegBaseline,
            sourceAETitle: "CT1")
        let meta = try #require(try Part10.parseMeta(header + dataset))
        #expect(meta.datasetOffset == header.count)
        #expect(meta.transferSyntax == .jpegBaseline)
        #expect(meta.meta.string(.mediaStorageSOPInstanceUID) == "1.2.3")
        #expect(meta.meta.string(.sourceApplicationEntityTitle) == "CT1")
        #expect(meta.meta.string(.implementationVersionName) == "HUIZHEN")
        #expect(meta.meta.int(.fileMetaInformationGroupLength) == header.count - 144)
    }

    @Test func readsAFileWithoutPreamble() throws {
        let header = Part10.header(sopClassUID: "1.2", sopInstanceUID: "1.3", transferSyntax: .rleLossless)
        let meta = try #require(try Part10.parseMeta(Array(header[132...]) + dataset))
        #expect(meta.transferSyntax == .rleLossless)
        #expect(meta.datasetOffset == header.count - 132)
    }

    @Test func recognizesABareDataset() throws {
        #expect(try Part10.parseMeta(dataset)?.transferSyntax == .explicitVRLittleEndian)
        var implicit = Stream()
        implicit.implicit(.sopClassUID, "1.2.3\0")
        #expect(try Part10.parseMeta(implicit.bytes)?.transferSyntax == .implicitVRLittleEndian)
        var big = Stream(isBigEndian: true)
        big.explicit(.sopClassUID, "UI", "1.2.3\0")
        #expect(try Part10.parseMeta(big.bytes)?.transferSyntax == .explicitVRBigEndian)
    }

    @Test func refusesWhatIsNoDICOM() throws {
        #expect(try Part10.parseMeta(Array("%PDF-1.7 and so on".utf8)) == nil)
        #expect(try Part10.parseMeta([UInt8](repeating: 0, count: 300)) == nil)
        #expect(try Part10.parseMeta([UInt8]()) == nil)
    }

    @Test func saysWhenTheMetaInformationIsCut() {
        let header = Part10.header(sopClassUID: "1.2", sopInstanceUID: "1.3", transferSyntax: .rleLossless)
        #expect(throws: ParseError.truncated(byteOffset: 160)) { try Part10.parseMeta(Array(header[..<160])) }
    }

    @Test func boundsTheMetaInformation() {
        var stream = Stream(bytes: [UInt8](repeating: 0, count: 128) + Array("DICM".utf8))
        stream.explicit(Tag(0x0002, 0x0102), "OB", length: 1 << 20)
        #expect(throws: ParseError.badLength(byteOffset: 132)) { try Part10.parseMeta(stream.bytes) }
    }
}
