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

    /// An image of 3 × 5 pixels of a byte, so that the value needs a byte to be of even length.
    private func image(
        _ pixels: [UInt8], frames: String? = nil, bits: UInt16 = 8, inItem: Bool = false, syntax: TransferSyntax
    ) throws -> [UInt8] {
        var image = Dataset()
        image.set(.samplesPerPixel, .US, bytes: [1, 0])
        if let frames { image.set(.numberOfFrames, .IS, string: frames) }
        image.set(.rows, .US, bytes: [3, 0])
        image.set(.columns, .US, bytes: [5, 0])
        image.set(.bitsAllocated, .US, bytes: [UInt8(bits & 0xFF), UInt8(bits >> 8)])
        image.set(.pixelData, bits == 16 ? .OW : .OB, bytes: pixels)
        if inItem {
            let icon = image
            image = Dataset()
            image.set(.iconImageSequence, .SQ, items: [icon])
        }
        return try canonical(image.encoded(transferSyntax: syntax), syntax, pieceByteCount: 7)
    }

    @Test func ignoresZerosBehindThePixelsAndNothingElse() throws {
        let pixels = [UInt8](1...15)
        for syntax in syntaxes {
            func form(_ bytes: [UInt8], frames: String? = nil, inItem: Bool = false) throws -> [UInt8] {
                try image(bytes, frames: frames, inItem: inItem, syntax: syntax)
            }
            let plain = try form(pixels + [0])
            #expect(try form(pixels + [UInt8](repeating: 0, count: 129)) == plain)
            #expect(try form(pixels + [UInt8](repeating: 0, count: 100_001)) == plain)
            // Pixels are no padding, be they zero; and what is behind them is none unless all of it is.
            #expect(try form([UInt8](repeating: 0, count: 16)) != form([UInt8](repeating: 0, count: 10)))
            #expect(try form(pixels + [0, 0, 0, 7]) != plain)
            #expect(try form(pixels + [0, 0, 0, 7]) != form(pixels + [0, 7]))
            #expect(try form(pixels + [7]) != plain)
            // Of two frames, of an unknown number, and in another image's icon.
            let two = pixels + pixels
            #expect(try form(two + [0, 0], frames: "2") == form(two, frames: "2"))
            #expect(try form(pixels + [0], frames: "2") != form(two, frames: "2"))
            #expect(try form(two + [0, 0], frames: "many") != form(two, frames: "many"))
            #expect(try form(pixels + [0, 0, 0], inItem: true) != form(pixels + [0], inItem: true))
        }
        let wide = [UInt8](repeating: 9, count: 30)
        let forms = try syntaxes.map { try image(wide + [0, 0], bits: 16, syntax: $0) }
        #expect(Set(forms).count == 1)
        #expect(try image(wide, bits: 16, syntax: .explicitVRLittleEndian) == forms[0])
    }

    @Test func boundsPaddingThatMayBeNone() throws {
        var stream = Stream()
        let alternating = (0..<100_000).map { UInt8($0 % 2 == 0 ? 0x20 : 0) }
        stream.explicit(Tag(0x0040, 0xA160), "UT", alternating + [0x41, 0x20])
        let form = try canonical(stream.bytes, .explicitVRLittleEndian)
        #expect(form.count == 4 + 100_001 + 9)
    }
}
