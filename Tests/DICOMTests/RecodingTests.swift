import DICOM
import Testing

/// All text of a dataset made UTF-8 while it is rewritten.
@Suite struct RecodingTests {
    private static let explicit = TransferSyntax.explicitVRLittleEndian

    /// Rewrites with every text made UTF-8.
    static func recoded(
        _ bytes: [UInt8], _ from: TransferSyntax = explicit, _ to: TransferSyntax = explicit, fedByteCount: Int = .max
    ) throws -> [UInt8] {
        let recoding = TextRecoding()
        func feed(_ rewriter: inout DatasetRewriter) throws {
            var start = 0
            while start < bytes.count {
                let end = start + min(fedByteCount, bytes.count - start)
                try rewriter.feed(bytes[start..<end])
                start = end
            }
        }
        for preparation in TextRecoding.Preparation.allCases {
            var reader = try DatasetRewriter(preparing: recoding, for: preparation, from: from, keepsTruncation: false)
            try feed(&reader)
            _ = try reader.finish()
        }
        var replacing = Dataset()
        replacing.set(.specificCharacterSet, .CS, string: "ISO_IR 192")
        let collector = PieceCollector()
        var rewriter = try DatasetRewriter(from: from, to: to, replacing: replacing, recoding: recoding) {
            collector.take($0, isLast: $1)
        }
        try feed(&rewriter)
        _ = try rewriter.finish()
        return collector.result.bytes
    }

    private static func source(_ terms: [String], _ text: String) throws -> (Dataset, [UInt8]) {
        let set = CharacterSet(terms)
        let count = TextRecoding.heldByteCount / (set.encode(text, vr: .UT)?.count ?? 1) + 2
        let long = String(repeating: text, count: count)
        var item = Dataset()
        item.set(.seriesDescription, .LO, string: text)
        item.set(Tag(0x0040, 0xA160), .UT, string: long)
        var dataset = Dataset()
        dataset.set(.specificCharacterSet, .CS, strings: terms)
        dataset.set(.patientName, .PN, string: text)
        dataset.set(.patientComments, .LT, string: String(repeating: text, count: 200))
        dataset.set(Tag(0x0040, 0xA730), items: [item])
        dataset.set(Tag(0x0040, 0xA160), .UT, string: long + "!")
        dataset.set(.pixelData, .OW, bytes: [1, 2, 3, 4])
        dataset.set(Tag(0x7FF1, 0x0010), .LO, string: "MAKER")
        dataset.set(Tag(0x7FF1, 0x1001), .UT, string: long + "?")
        return (dataset, dataset.encoded(transferSyntax: explicit, characterSet: set))
    }

    private static func texts(_ dataset: Dataset) -> [String] {
        dataset.elements.flatMap { element -> [String] in
            switch element.value {
            case .items(let items): items.flatMap(texts)
            case .bytes(let bytes) where element.vr.isText:
                ["\(element.tag) \(String(decoding: bytes, as: UTF8.self))"]
            default: []
            }
        }
    }

    @Test(
        arguments: [
            (["ISO_IR 100"], "Schädel, Übersicht\r\n"), (["GB18030"], "肺部未见异常，誠𠮷。"), (["GBK"], "肺部未见异常"),
            (["", "ISO 2022 IR 58"], "肺部未见异常\r\n"), (["ISO 2022 IR 100", "ISO 2022 IR 87"], "ä頭部\r\n"),
            (["", "ISO 2022 IR 149"], "이상 없음\r\n"), (["ISO_IR 192"], "头颅Ä"), (["ISO_IR 13"], "ｱｲｳ plain."),
        ] as [([String], String)])
    func makesShortAndLongTextsUTF8(_ terms: [String], _ text: String) throws {
        let (dataset, bytes) = try Self.source(terms, text)
        for fedByteCount in [Int.max, 4093] {
            let written = try Self.recoded(bytes, fedByteCount: fedByteCount)
            let read = try Dataset.parse(written, transferSyntax: Self.explicit)
            #expect(read.strings(.specificCharacterSet) == ["ISO_IR 192"])
            // What is read of the source is what was put into it.
            let expected = try Dataset.parse(bytes, transferSyntax: Self.explicit)
            #expect(Self.texts(read) == Self.texts(expected))
            #expect(Self.texts(expected) == Self.texts(dataset))
            #expect(read[.pixelData]?.vr == .OW)
        }
        let implicit = try Self.recoded(bytes, Self.explicit, .implicitVRLittleEndian)
        let read = try Dataset.parse(implicit, transferSyntax: .implicitVRLittleEndian)
        #expect(read.string(Tag(0x0040, 0xA160)) == dataset.string(Tag(0x0040, 0xA160)))
    }

    /// What no set declares is guessed from all of a value: the beginning alone would say ASCII.
    @Test func looksAtAllOfAnUndeclaredText() throws {
        let endings: [([UInt8], String)] = [([0xC4], "Ä"), ([0xCD, 0xF5], "王"), ([0xE7, 0x8E, 0x8B], "王")]
        for (ending, expected) in endings {
            var source = Stream()
            let text = [UInt8](repeating: UInt8(ascii: "a"), count: 70_000) + ending
            source.explicit(Tag(0x0040, 0xA160), "UT", text + (text.count % 2 == 1 ? [0x20] : []))
            let read = try Dataset.parse(try Self.recoded(source.bytes), transferSyntax: Self.explicit)
            #expect(read.string(Tag(0x0040, 0xA160))?.hasSuffix("a" + expected) == true)
        }
    }

    @Test(arguments: [TextRecoding.heldByteCount, TextRecoding.heldByteCount + 2])
    func readsTextsUpToTheBoundAndBeyondAlike(_ byteCount: Int) throws {
        var source = Stream()
        source.explicit(.specificCharacterSet, "CS", "ISO_IR 100")
        source.explicit(Tag(0x0040, 0xA160), "UT", [UInt8](repeating: 0xE4, count: byteCount))
        let read = try Dataset.parse(try Self.recoded(source.bytes), transferSyntax: Self.explicit)
        #expect(read.string(Tag(0x0040, 0xA160)) == String(repeating: "ä", count: byteCount))
    }

    @Test func letsOneCharacterSetHoldForItemsThatHadTheirOwn() throws {
        var source = Stream()
        source.explicit(.specificCharacterSet, "CS", "ISO_IR 100")
        source.explicit(.referencedStudySequence, "SQ", length: Stream.undefined)
        source.implicit(.item, length: Stream.undefined)
        source.explicit(.specificCharacterSet, "CS", "GB18030 ")
        source.explicit(.studyDescription, "LO", [0xCD, 0xF5])
        source.implicit(.itemDelimitationItem, length: 0)
        source.implicit(.item, length: Stream.undefined)
        source.explicit(.studyDescription, "LO", [0xC4, 0x20])
        source.implicit(.itemDelimitationItem, length: 0)
        source.implicit(.sequenceDelimitationItem, length: 0)
        // Items under UN are made anew too.
        source.explicit(Tag(0x0041, 0x1001), "UN", length: 18)
        source.implicit(.item, length: 10)
        source.implicit(.studyDescription, [0xE4, 0x20])
        let items = try Dataset.parse(try Self.recoded(source.bytes), transferSyntax: Self.explicit)
        let studies = items.items(.referencedStudySequence)
        #expect(studies.map { $0.string(.studyDescription) } == ["王", "Ä"])
        #expect(!studies.contains { $0.contains(.specificCharacterSet) })
        #expect(items.items(Tag(0x0041, 0x1001)).first?.string(.studyDescription) == "ä")
    }

    @Test func refusesATextThatWasNotMeasured() throws {
        var source = Stream()
        source.explicit(Tag(0x0040, 0xA160), "UT", [UInt8](repeating: 0xE4, count: TextRecoding.heldByteCount + 2))
        let refusal = #expect(throws: RewriteError.self) {
            var rewriter = try DatasetRewriter(from: Self.explicit, to: Self.explicit, recoding: TextRecoding()) {
                _, _ in
            }
            try rewriter.feed(source.bytes)
            _ = try rewriter.finish()
        }
        #expect(refusal?.name == "textDoesNotFit")
    }
}

/// Sources that end too early, written so that this is not hidden.
@Suite struct KeptTruncationTests {
    /// What the rewriter writes as it is, so that every beginning of it must come out as it went in.
    private static func source(_ syntax: TransferSyntax) throws -> [UInt8] {
        var inner = Dataset()
        inner.set(.studyDescription, .LO, string: "INNER")
        var item = Dataset()
        item.set(.referencedStudySequence, items: [inner, Dataset()])
        item.set(.rows, .US, ints: [7])
        var dataset = Dataset()
        dataset.set(.patientID, .LO, string: "1001")
        dataset.set(.referencedSeriesSequence, items: [item])
        dataset.set(.imageComments, .LT, string: String(repeating: "long ", count: 300))
        dataset.set(.pixelData, .OW, bytes: [UInt8](0..<40))
        return try rewrite(dataset.encoded(transferSyntax: syntax), syntax, syntax).bytes
    }

    private static func kept(
        _ bytes: some Collection<UInt8>, _ syntax: TransferSyntax, _ replacing: Dataset = Dataset(),
        fedByteCount: Int = .max
    ) throws(RewriteError) -> [UInt8] {
        let collector = PieceCollector()
        var rewriter = try DatasetRewriter(
            from: syntax, to: syntax, replacing: replacing, keepsTruncation: true, pieceByteCount: 64
        ) { collector.take($0, isLast: $1) }
        let bytes = Array(bytes)
        for start in stride(from: 0, to: bytes.count, by: min(fedByteCount, bytes.count + 1)) {
            try rewriter.feed(bytes[start..<min(bytes.count, start + min(fedByteCount, bytes.count))])
        }
        _ = try rewriter.finish()
        return collector.result.bytes
    }

    /// Every beginning comes as it is, or a byte shorter to be of even length: as long as that does not look whole.
    @Test(arguments: [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian])
    func givesEveryBeginningAsItIs(_ syntax: TransferSyntax) throws {
        let source = try Self.source(syntax)
        #expect(try Self.kept(source, syntax) == source)
        var wholeCounts: [Int] = []
        for count in 1..<source.count {
            let expected = Array(source.prefix(count & ~1))
            if count % 2 == 1, try Self.isWhole(expected, syntax) {
                wholeCounts.append(count)
                #expect(throws: RewriteError.self) { try Self.kept(source.prefix(count), syntax) }
                continue
            }
            #expect(try Self.kept(source.prefix(count), syntax) == expected, "\(count)")
            #expect(try Self.kept(source.prefix(count), syntax, fedByteCount: 5) == expected)
        }
        // A byte into each element of the top level.
        #expect(wholeCounts.count == 4)
    }

    private static func isWhole(_ bytes: [UInt8], _ syntax: TransferSyntax) throws -> Bool {
        var scanner = DatasetScanner(transferSyntax: syntax)
        try scanner.feed(bytes)
        return try !scanner.finish().isTruncated
    }

    @Test func givesTheBeginningOfFragmentsAsItIs() throws {
        var source = Stream()
        source.explicit(.patientID, "LO", "1001")
        source.explicit(.pixelData, "OB", length: Stream.undefined)
        source.implicit(.item, length: 0)
        source.implicit(.item, length: 8)
        source.bytes += [1, 2, 3, 4]
        #expect(try Self.kept(source.bytes + [5], .jpegBaseline) == source.bytes)
    }

    /// What stands before the cut may change; what stands behind it cannot be put in.
    @Test func replacesOnlyWhatComesBeforeTheCut() throws {
        let syntax = TransferSyntax.explicitVRLittleEndian
        let source = try Self.source(syntax)
        var replacing = Dataset()
        replacing.set(.patientID, .LO, string: "2002XY")
        let cut = source.prefix(source.count - 3)
        let written = try Self.kept(cut, syntax, replacing)
        #expect(written.count == (cut.count + 2) & ~1)
        #expect(try Dataset.parse(written, transferSyntax: syntax).string(.patientID) == "2002XY")
        #expect(written.suffix(100).elementsEqual(cut.dropLast(cut.count % 2).suffix(100)))
        replacing.set(Tag(0x7FE1, 0x0010), .LO, string: "MAKER")
        #expect(throws: RewriteError.self) { try Self.kept(cut, syntax, replacing) }
        // Inside what is replaced: nothing would tell that something is missing.
        var first = Dataset()
        first.set(.referencedSeriesSequence, items: [])
        for count in 20...60 {
            #expect(throws: RewriteError.self) { try Self.kept(source.prefix(count), syntax, first) }
        }
    }

    @Test func refusesACutInAnotherEncoding() throws {
        let source = try Self.source(.explicitVRLittleEndian)
        #expect(throws: RewriteError.self) {
            var rewriter = try DatasetRewriter(
                from: .explicitVRLittleEndian, to: .implicitVRLittleEndian, keepsTruncation: true
            ) { _, _ in }
            try rewriter.feed(source[..<(source.count - 3)])
            _ = try rewriter.finish()
        }
    }
}
