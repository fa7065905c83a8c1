import DICOM
import Deidentification
import Keys
import Testing

@testable import Codecs
@testable import huizhen

/// Words in pictures are found by workers and blanked, and nothing else changes.
struct PixelCleaningTests {
    /// Letters of five columns and seven rows.
    private static let glyphs: [Character: [UInt8]] = [
        "A": [0x0E, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11], "E": [0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F],
        "G": [0x0E, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0F], "H": [0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11],
        "I": [0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E], "N": [0x11, 0x19, 0x15, 0x13, 0x11, 0x11, 0x11],
        "W": [0x11, 0x11, 0x11, 0x15, 0x15, 0x1B, 0x11], "Z": [0x1F, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1F],
        "0": [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E], "1": [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E],
        "2": [0x0E, 0x11, 0x01, 0x06, 0x08, 0x10, 0x1F], "5": [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E],
    ]
    fileprivate static let (rows, columns) = (192, 256)
    private static let words: [(text: String, left: Int, top: Int)] = [("ZHANG WEI", 8, 6), ("2015 1201", 130, 170)]
    private static let scale = 2

    /// Whether a letter's ink covers each pixel.
    private static let ink: [Bool] = {
        var ink = [Bool](repeating: false, count: rows * columns)
        for word in words {
            for (place, letter) in word.text.enumerated() {
                guard let glyph = glyphs[letter] else { continue }
                for row in 0..<7 * scale {
                    for column in 0..<5 * scale where glyph[row / scale] >> (4 - column / scale) & 1 == 1 {
                        ink[(word.top + row) * columns + word.left + place * 6 * scale + column] = true
                    }
                }
            }
        }
        return ink
    }()

    /// Whether a pixel is far from every word.
    private static func isFar(_ pixel: Int) -> Bool {
        words.allSatisfy { word in
            let (row, column) = (pixel / columns, pixel % columns)
            return row < word.top - 12 || row > word.top + 14 + 12 || column < word.left - 12
                || column > word.left + word.text.count * 12 + 12
        }
    }

    private enum Kind: CaseIterable { case bytes, words, color }

    private static func header(_ kind: Kind) -> Dataset {
        var header = Dataset()
        for (tag, number) in [
            (Tag.rows, rows), (.columns, columns), (.samplesPerPixel, kind == .color ? 3 : 1),
            (.bitsAllocated, kind == .words ? 16 : 8), (.bitsStored, kind == .words ? 12 : 8),
            (.highBit, kind == .words ? 11 : 7), (.pixelRepresentation, 0), (.planarConfiguration, 0),
        ] { header.set(tag, .US, ints: [number]) }
        header.set(.photometricInterpretation, .CS, string: kind == .color ? "RGB" : "MONOCHROME2")
        return header
    }

    /// A soft shadow with bright words on it.
    private static func picture(_ kind: Kind, hasWords: Bool = true) -> [UInt8] {
        (0..<rows * columns).flatMap { pixel -> [UInt8] in
            let shade = 30 + (pixel / columns + pixel % columns) / 16
            let value = hasWords && ink[pixel] ? 250 : shade
            switch kind {
            case .bytes: return [UInt8(value)]
            case .words: return [UInt8(value << 4 & 0xFF), UInt8(value >> 4)]
            case .color: return [UInt8(value), UInt8(value), UInt8(max(0, value - 10))]
            }
        }
    }

    private static func cleaner(_ rules: PixelRules = .none, readers: CodecPoolOptions? = nil) -> CodecPixelCleaner {
        var options = CodecPoolOptions.readingText
        options.executable = Workers.program
        options.workerCount = 1
        return CodecPixelCleaner(rules: rules, codecs: Workers.options(), readers: readers ?? options)
    }

    private static func text() -> PixelCleaningDemand {
        var demand = PixelCleaningDemand()
        demand.text = true
        return demand
    }

    private static func coded(_ pixels: [UInt8], _ header: Dataset, _ syntax: TransferSyntax) throws -> [UInt8] {
        let format = try FrameFormat(header: header)
        return try FrameCodec.convert(
            pixels, FrameConversion(from: .explicitVRLittleEndian, format, to: syntax, format))
    }

    private static func decoded(
        _ frame: [UInt8], _ cleaning: any PixelCleaning, _ header: Dataset
    ) throws -> [UInt8] {
        if cleaning.transferSyntax == .explicitVRLittleEndian { return frame }
        var changed = header
        changed.merge(cleaning.changes)
        var native = changed
        if native.contains(.planarConfiguration) { native.set(.planarConfiguration, .US, ints: [0]) }
        return try FrameCodec.convert(
            frame,
            FrameConversion(
                from: cleaning.transferSyntax, FrameFormat(header: changed), to: .explicitVRLittleEndian,
                FrameFormat(header: native)))
    }

    static let syntaxes: [TransferSyntax] = [
        .explicitVRLittleEndian, .rleLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless, .htj2kLossless,
    ]

    @Test(arguments: syntaxes)
    func blanksWordsAndLeavesTheRestBitForBit(syntax: TransferSyntax) throws {
        let cleaner = Self.cleaner()
        let kinds: [Kind] =
            switch syntax {
            case .explicitVRLittleEndian: Kind.allCases
            case .rleLossless, .jpegLSLossless: [.color]
            default: [.words]
            }
        for kind in kinds {
            var header = Self.header(kind)
            let source = Self.picture(kind)
            let frame = syntax == .explicitVRLittleEndian ? source : try Self.coded(source, header, syntax)
            if syntax == .rleLossless, kind == .color { header.set(.planarConfiguration, .US, ints: [1]) }
            let cleaning = try cleaner.begin(header: header, transferSyntax: syntax, demand: Self.text())
            #expect(cleaning.transferSyntax == syntax)
            let result = try Self.decoded(try cleaning.clean(frame: frame, frameIndex: 0), cleaning, header)
            try Self.expectClean(result, source, kind)
            #expect(cleaning.done.text)
        }
    }

    private static func expectClean(_ result: [UInt8], _ source: [UInt8], _ kind: Kind) throws {
        try #require(result.count == source.count)
        let byteCount = kind == .bytes ? 1 : kind == .words ? 2 : 3
        var inkLeft = 0
        var changedFar = 0
        for pixel in 0..<rows * columns {
            let range = pixel * byteCount..<(pixel + 1) * byteCount
            let isChanged = result[range] != source[range]
            if ink[pixel], !isChanged { inkLeft += 1 }
            if isFar(pixel), isChanged { changedFar += 1 }
        }
        #expect(inkLeft == 0, "\(kind)")
        #expect(changedFar == 0, "\(kind)")
    }

    @Test(arguments: [TransferSyntax.jpeg2000Lossless, .htj2kLossless])
    func coloursOfOtherSpacesStayWhatTheyWere(syntax: TransferSyntax) throws {
        var header = Self.header(.color)
        let native = try FrameFormat(header: header)
        header.set(.photometricInterpretation, .CS, string: "YBR_RCT")
        let format = try FrameFormat(header: header)
        let cleaning = try Self.cleaner().begin(header: header, transferSyntax: syntax, demand: Self.text())
        #expect(cleaning.transferSyntax == syntax && !cleaning.changes.contains(.photometricInterpretation))
        // One frame that is coded anew, and one that keeps its bytes.
        for hasWords in [true, false] {
            let source = Self.picture(.color, hasWords: hasWords)
            let frame = try FrameCodec.convert(
                source, FrameConversion(from: .explicitVRLittleEndian, native, to: syntax, format))
            let cleaned = try cleaning.clean(frame: frame, frameIndex: hasWords ? 0 : 1)
            let result = try FrameCodec.convert(
                cleaned, FrameConversion(from: syntax, format, to: .explicitVRLittleEndian, native))
            if hasWords { try Self.expectClean(result, source, .color) } else { #expect(result == source) }
        }
    }

    /// Of marks below and above letters the library that reads says on its standard error how many there are.
    @Test func whatTheReadingLibrarySaysIsNotItsEnd() throws {
        var source = Self.picture(.bytes)
        for word in Self.words {
            for (place, letter) in word.text.enumerated() where letter != " " {
                for row in [-3, 17] {
                    source[(word.top + row) * Self.columns + word.left + place * 6 * Self.scale + 4] = 250
                }
            }
        }
        let cleaning = try Self.cleaner().begin(
            header: Self.header(.bytes), transferSyntax: .explicitVRLittleEndian, demand: Self.text())
        try Self.expectClean(try cleaning.clean(frame: source, frameIndex: 0), source, .bytes)
    }

    @Test func whatWasCodedWithLossBecomesJPEGLSAndKeepsItsPixels() throws {
        let header = Self.header(.bytes)
        let frame = try Self.coded(Self.picture(.bytes), header, .jpegBaseline)
        let format = try FrameFormat(header: header)
        let source = try FrameCodec.convert(
            frame, FrameConversion(from: .jpegBaseline, format, to: .explicitVRLittleEndian, format))
        let cleaning = try Self.cleaner().begin(header: header, transferSyntax: .jpegBaseline, demand: Self.text())
        #expect(cleaning.transferSyntax == .jpegLSLossless)
        #expect(cleaning.changes.string(.lossyImageCompression) == "01")
        let result = try Self.decoded(try cleaning.clean(frame: frame, frameIndex: 0), cleaning, header)
        try Self.expectClean(result, source, .bytes)
    }

    @Test func aFrameWithoutWordsKeepsItsBytes() throws {
        let header = Self.header(.words)
        let frame = try Self.coded(Self.picture(.words, hasWords: false), header, .jpeg2000Lossless)
        let cleaning = try Self.cleaner().begin(header: header, transferSyntax: .jpeg2000Lossless, demand: Self.text())
        #expect(try cleaning.clean(frame: frame, frameIndex: 0).starts(with: frame.prefix(64)))
        let again = try Self.decoded(try cleaning.clean(frame: frame, frameIndex: 1), cleaning, header)
        #expect(again == Self.picture(.words, hasWords: false))
    }

    @Test func keepsTheRegionsOfUltrasoundAndBlanksTheRest() throws {
        var header = Self.header(.bytes)
        var item = Dataset()
        for (tag, number) in [(0x6018, 40), (0x601A, 60), (0x601C, 99), (0x601E, 119)] {
            item.set(Tag(0x0018, UInt16(tag)), .UL, ints: [number])
        }
        header.set(Tag(0x0018_6011), items: [item])
        let source = Self.picture(.bytes)
        let cleaning = try Self.cleaner().begin(
            header: header, transferSyntax: .explicitVRLittleEndian, demand: Self.text())
        let result = try cleaning.clean(frame: source, frameIndex: 0)
        for pixel in source.indices {
            let isInside = (60...119).contains(pixel / Self.columns) && (40...99).contains(pixel % Self.columns)
            #expect(result[pixel] == (isInside ? source[pixel] : 0))
        }
    }

    @Test func followsARuleAndReadsNoTextWhereItSaysThatNoneIsLeft() throws {
        let rules = try PixelRules(
            json: Array(
                #"{"rules": [{"when": [{"attribute": "Rows", "equals": "192"}], "blank": [[0, 0, 256, 24]], "cleans": ["text", "features"]}]}"#
                    .utf8))
        var nobody = CodecPoolOptions.readingText
        nobody.executable = "/nonexistent/huizhen"
        var demand = Self.text()
        demand.features = true
        let cleaning = try Self.cleaner(rules, readers: nobody).begin(
            header: Self.header(.bytes), transferSyntax: .explicitVRLittleEndian, demand: demand)
        let source = Self.picture(.bytes)
        let result = try cleaning.clean(frame: source, frameIndex: 0)
        #expect(result.prefix(24 * Self.columns).allSatisfy { $0 == 0 })
        #expect(result.dropFirst(24 * Self.columns).elementsEqual(source.dropFirst(24 * Self.columns)))
        #expect(cleaning.done.text && cleaning.done.features)
    }

    /// A picture of a scanner, in which nobody looks for text.
    @Test(arguments: [TransferSyntax.explicitVRLittleEndian, .rleLossless, .jpeg2000Lossless])
    func aSitesRectangleIsBlankedInAPictureThatPasses(syntax: TransferSyntax) throws {
        let rules = try PixelRules(
            json: Array(
                #"{"rules": [{"when": [{"attribute": "Modality", "equals": "CT"}], "blank": [[8, 6, 100, 20]]}]}"#.utf8)
        )
        var nobody = CodecPoolOptions.readingText
        nobody.executable = "/nonexistent/huizhen"
        var object = Self.header(.words)
        object.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.2")
        object.set(.sopInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.8.1")
        object.set(.studyInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.8.2")
        object.set(.seriesInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.8.3")
        object.set(.imageType, .CS, strings: ["ORIGINAL", "PRIMARY", "AXIAL"])
        let source = Self.picture(.words)
        let key = ProjectKey((0..<32).map { UInt8($0) }.withUnsafeBytes { SymmetricKey(copying: $0)! })
        for modality in ["CT", "MR"] {
            object.set(.modality, .CS, string: modality)
            var bytes = object.encoded(transferSyntax: .explicitVRLittleEndian)
            let frame = syntax == .explicitVRLittleEndian ? source : try Self.coded(source, Self.header(.words), syntax)
            func little(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }
            bytes += [0xE0, 0x7F, 0x10, 0x00] + Array((syntax.isEncapsulated ? "OB" : "OW").utf8) + [0, 0]
            if syntax.isEncapsulated {
                bytes += little(-1) + [0xFE, 0xFF, 0x00, 0xE0] + little(0) + [0xFE, 0xFF, 0x00, 0xE0]
                let even = frame + (frame.count % 2 == 1 ? [0] : [])
                bytes += little(even.count) + even + [0xFE, 0xFF, 0xDD, 0xE0] + little(0)
            } else {
                bytes += little(frame.count) + frame
            }
            let output = CollectedOutput()
            let deidentifier = Deidentifier(
                profile: .basic, key: key, pixelCleaner: Self.cleaner(rules, readers: nobody))
            var instance = deidentifier.instance(transferSyntax: syntax, output: output)
            try instance.feed(bytes)
            let report = try instance.finish()
            let result = try output.frame(Self.header(.words))
            for pixel in 0..<Self.rows * Self.columns {
                let isInside =
                    modality == "CT" && (6..<26).contains(pixel / Self.columns)
                    && (8..<108).contains(pixel % Self.columns)
                let range = pixel * 2..<pixel * 2 + 2
                guard Array(result[range]) == (isInside ? [0, 0] : Array(source[range])) else {
                    Issue.record("pixel \(pixel) of \(modality)")
                    return
                }
            }
            #expect(report.counts[.pixelRectangle] == (modality == "CT" ? 1 : nil))
            #expect(report.counts[.recoded] == (modality == "CT" && syntax.isEncapsulated ? 1 : nil))
            #expect(report.counts[.burnedInText] == nil)
        }
    }

    /// What the engine gave.
    private final class CollectedOutput: DeidentificationOutput {
        private var header: OutputHeader?
        private var bytes: [UInt8] = []

        func begin(_ header: OutputHeader) { self.header = header }
        func write(_ bytes: UnsafeRawBufferPointer) { self.bytes += bytes }

        /// The only frame, decoded.
        func frame(_ header: Dataset) throws -> [UInt8] {
            guard let syntax = self.header?.transferSyntax, syntax.isEncapsulated else {
                return Array(bytes.suffix(PixelCleaningTests.rows * PixelCleaningTests.columns * 2))
            }
            let item: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0]
            var head: [UInt8] = [0xE0, 0x7F, 0x10, 0x00]
            head += Array("OB".utf8)
            head += [0, 0, 0xFF, 0xFF, 0xFF, 0xFF] + item + [0, 0, 0, 0] + item
            let found = try #require(bytes.firstRange(of: head))
            let count = (0..<4).reduce(0) { $0 | Int(bytes[found.upperBound + $1]) << (8 * $1) }
            let format = try FrameFormat(header: header)
            return try FrameCodec.convert(
                Array(bytes[(found.upperBound + 4)...].prefix(count)),
                FrameConversion(from: syntax, format, to: .explicitVRLittleEndian, format))
        }
    }

    @Test func quarantinesWhatCannotBeCleaned() throws {
        var features = PixelCleaningDemand()
        features.features = true
        #expect(throws: Quarantine.featuresNotCleaned) {
            try Self.cleaner().begin(
                header: Self.header(.bytes), transferSyntax: .explicitVRLittleEndian, demand: features)
        }
        // Workers that read no text.
        let cleaning = try Self.cleaner(readers: Workers.options()).begin(
            header: Self.header(.bytes), transferSyntax: .explicitVRLittleEndian, demand: Self.text())
        #expect(throws: Quarantine.self) { try cleaning.clean(frame: Self.picture(.bytes), frameIndex: 0) }
        #expect(throws: Quarantine.self) {
            try Self.cleaner().begin(
                header: Self.header(.bytes), transferSyntax: TransferSyntax(uid: "1.2.840.10008.1.2.4.100"),
                demand: Self.text())
        }
        var wide = Self.header(.bytes)
        wide.set(.bitsAllocated, .US, ints: [32])
        #expect(throws: Quarantine.self) {
            try Self.cleaner().begin(header: wide, transferSyntax: .explicitVRLittleEndian, demand: Self.text())
        }
    }

    /// In less than a few rows or columns there is no place that could have a threshold of its own.
    @Test(arguments: [(1, 1), (1, 300), (3, 3000), (6, 3000), (15, 3000), (16, 2201), (3000, 3), (7, 1500), (8, 8)])
    func looksThroughPicturesOfAnyShape(rows: Int, columns: Int) throws {
        var options = CodecPoolOptions.readingText
        options.executable = Workers.program
        options.workerCount = 1
        let pool = CodecPool(options)
        defer { pool.close() }
        for grey in [[UInt8](repeating: 9, count: rows * columns), (0..<rows * columns).map { UInt8($0 % 256) }] {
            #expect(throws: Never.self) { try pool.words(in: grey, TextSearch(rows: rows, columns: columns)) }
        }
    }

    /// Each look at a picture finds the same words.
    @Test func aWordIsCountedOnce() throws {
        let cleaning = try Self.cleaner().begin(
            header: Self.header(.bytes), transferSyntax: .explicitVRLittleEndian, demand: Self.text())
        _ = try cleaning.clean(frame: Self.picture(.bytes), frameIndex: 0)
        #expect((2...4).contains(cleaning.count.words))
    }

    @Test func boundsThePicturesThatAreLookedThrough() throws {
        #expect(throws: CodecError.badFormat(attribute: "rows")) {
            try TextSearch(rows: TextSearch.sideLimit + 1, columns: 1)
        }
        #expect(throws: CodecError.badFormat(attribute: "columns")) { try TextSearch(rows: 1, columns: 0) }
        _ = try TextSearch(rows: TextSearch.sideLimit, columns: TextSearch.sideLimit)
        #expect(throws: CodecError.malformed(coding: "picture")) {
            try CodecPool(Workers.options()).words(in: [1, 2, 3], TextSearch(rows: 2, columns: 2))
        }
        let search = try TextSearch(rows: 10, columns: 20)
        let numbers: [Int] = [5, 2, 900, 900, 30, 0, 31, 5]
        let bytes = numbers.flatMap { number -> [UInt8] in [UInt8(number & 255), UInt8(number >> 8), 0, 0] }
        #expect(search.words(bytes + [1, 2]) == [TextSearch.Word(left: 5, top: 2, right: 20, bottom: 10)])
    }
}
