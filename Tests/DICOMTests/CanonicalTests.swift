import DICOM
import Testing

@Suite struct CanonicalTests {
    private let syntaxes: [TransferSyntax] = [
        .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
    ]

    @Test func isTheSameInEverySyntax() throws {
        let sample = DatasetTests.sample()
        let forms = try syntaxes.map { try canonical(sample.encoded(transferSyntax: $0), $0) }
        #expect(Set(forms).count == 1)
        let explicit = sample.encoded(transferSyntax: .explicitVRLittleEndian)
        #expect(try canonical(Deflate.raw(explicit), .deflatedExplicitVRLittleEndian) == forms[0])
    }

    @Test(arguments: [1, 2, 3, 5, 100, 4095])
    func isTheSameHoweverItIsCut(_ pieceByteCount: Int) throws {
        var sample = DatasetTests.sample()
        sample.set(.encapsulatedDocument, .OB, bytes: [UInt8](repeating: 3, count: 70_001))
        sample.set(.patientComments, .LT, string: String(repeating: "words  ", count: 3000) + "  ")
        sample.set(.waveformData, .OW, bytes: (0..<20_000).map { UInt8(truncatingIfNeeded: $0) })
        for syntax in syntaxes {
            let bytes = sample.encoded(transferSyntax: syntax)
            #expect(try canonical(bytes, syntax, pieceByteCount: pieceByteCount) == canonical(bytes, syntax))
        }
    }

    @Test func ignoresPaddingGroupLengthsAndSequenceLengths() throws {
        var plain = Stream()
        plain.explicit(.patientID, "LO", "AB")
        plain.explicit(.procedureCodeSequence, "SQ", length: 20)
        plain.implicit(.item, length: 12)
        plain.explicit(.codeValue, "SH", "T-1 ")
        var padded = Stream()
        padded.explicit(Tag(0x0010, 0), "UL", [10, 0, 0, 0])
        padded.explicit(.patientID, "LO", "AB  ")
        padded.explicit(.procedureCodeSequence, "SQ", length: Stream.undefined)
        padded.implicit(.item, length: Stream.undefined)
        padded.explicit(.codeValue, "SH", "T-1\0\0\0")
        padded.implicit(.itemDelimitationItem, length: 0)
        padded.implicit(.sequenceDelimitationItem, length: 0)
        padded.explicit(.dataSetTrailingPadding, "OB", [0, 0])
        #expect(
            try canonical(plain.bytes, .explicitVRLittleEndian) == canonical(padded.bytes, .explicitVRLittleEndian))
    }

    @Test func tellsDifferentDatasetsApart() throws {
        func form(_ build: (inout Stream) -> Void) throws -> [UInt8] {
            var stream = Stream()
            build(&stream)
            return try canonical(stream.bytes, .explicitVRLittleEndian)
        }
        let forms = try [
            form { $0.explicit(.patientID, "LO", "AB") },
            form { $0.explicit(.patientID, "LO", "AC") },
            form { $0.explicit(.issuerOfPatientID, "LO", "AB") },
            form { $0.explicit(.encapsulatedDocument, "OB", [1, 0]) },
            form { $0.explicit(.encapsulatedDocument, "OB", [1, 0, 0, 0]) },
            form {
                // What one record looks like, as another's value.
                $0.explicit(.encapsulatedDocument, "OB", [1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0])
            },
            form {
                $0.explicit(.contentSequence, "SQ", length: 8)
                $0.implicit(.item, length: 0)
            },
            form { $0.explicit(.contentSequence, "SQ", length: 0) },
        ]
        #expect(Set(forms).count == forms.count)
    }

    @Test func comparesEncapsulatedPixelDataByFragment() throws {
        func form(_ fragments: [[UInt8]]) throws -> [UInt8] {
            var stream = Stream()
            stream.explicit(.pixelData, "OB", length: Stream.undefined)
            for fragment in [[]] + fragments { stream.implicit(.item, fragment) }
            stream.implicit(.sequenceDelimitationItem, length: 0)
            return try canonical(stream.bytes, .jpegBaseline)
        }
        #expect(try form([[1, 2], [3, 4]]) == form([[1, 2], [3, 4]]))
        #expect(try form([[1, 2], [3, 4]]) != form([[1, 2, 3, 4]]))
    }

    @Test func boundsPaddingThatMayBeNone() throws {
        var stream = Stream()
        let alternating = (0..<100_000).map { UInt8($0 % 2 == 0 ? 0x20 : 0) }
        stream.explicit(Tag(0x0040, 0xA160), "UT", alternating + [0x41, 0x20])
        let form = try canonical(stream.bytes, .explicitVRLittleEndian)
        #expect(form.count == 4 + 100_001 + 9)
    }
}
