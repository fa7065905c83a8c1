import DICOM
import Deidentification
import Testing

/// Coded frames keep their pixels' bytes and nothing else.
struct FrameCleanerTests {
    static let secret = Array("CANARY-张伟".utf8)

    static func segment(_ marker: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let length = contents.count + 2
        return [0xFF, marker, UInt8(length >> 8), UInt8(length & 0xFF)] + contents
    }

    static func image(
        rows: Int = 4, columns: Int = 4, allocated: Int = 16, stored: Int = 12, isSigned: Bool = false
    ) -> Dataset {
        var header = Dataset()
        for (tag, number) in [
            (Tag.rows, rows), (.columns, columns), (.bitsAllocated, allocated), (.bitsStored, stored),
            (.highBit, stored - 1),
            (.samplesPerPixel, 1), (.pixelRepresentation, isSigned ? 1 : 0),
        ] { header.set(tag, .US, ints: [number]) }
        return header
    }

    static func holdsSecret(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= secret.count else { return false }
        return (0...bytes.count - secret.count).contains { bytes[$0..<$0 + secret.count].elementsEqual(secret) }
    }

    // MARK: JPEG

    static let quantisation = segment(0xDB, [0] + [UInt8](repeating: 1, count: 64))
    static let huffman = segment(0xC4, [0x00, 0, 1] + [UInt8](repeating: 0, count: 14) + [0])
    static let start: [UInt8] = [0xFF, 0xD8]
    static let end: [UInt8] = [0xFF, 0xD9]
    static func frame(_ marker: UInt8) -> [UInt8] { segment(marker, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]) }
    static let scan = segment(0xDA, [1, 1, 0, 0, 63, 0])
    static let entropy: [UInt8] = [0x12, 0xFF, 0x00, 0x34, 0xFF, 0xD0, 0x56, 0x78, 0xFF, 0x00]
    static let jfif = segment(0xE0, Array("JFIF\0".utf8) + [1, 1, 0, 0, 1, 0, 1, 0, 0])
    static let adobe = segment(0xEE, Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, 1])

    @Test func leavesOfAJPEGWhatIsNeededToShowIt() throws {
        let thumbnail = Self.segment(
            0xE0, Array("JFIF\0".utf8) + [1, 2, 1, 0, 72, 0, 72, 3, 1] + Self.secret.prefix(9))
        var bytes =
            Self.start + [0xFF] + thumbnail + Self.segment(0xE0, Array("JFXX\0".utf8) + Self.secret)
            + Self.segment(0xE1, Array("Exif\0\0".utf8) + Self.secret) + Self.segment(0xE2, Self.secret)
        bytes += Self.segment(0xEE, Array("Adobe".utf8) + [0, 101, 0x43, 0x41, 0x4E, 0x41, 1] + Self.secret)
        bytes += Self.segment(0xFE, Self.secret) + Self.quantisation + Self.frame(0xC0) + Self.huffman
        bytes +=
            Self.segment(0xFE, Self.secret) + Self.scan + Self.entropy + [0xFF, 0xFF, 0xFF] + Self.end + Self.secret
        let count = bytes.count
        let cleaner = try FrameCleaner(.jpegBaseline)
        let removed = try cleaner.clean(&bytes)
        let expected =
            Self.start + Self.jfif + Self.adobe + Self.quantisation + Self.frame(0xC0) + Self.huffman + Self.scan
            + Self.entropy
            + Self.end
        #expect(bytes == expected)
        #expect(removed == count - expected.count)
        #expect(try cleaner.clean(&bytes) == 0)
        #expect(bytes == expected)
    }

    @Test(arguments: [UInt8(0xC0), 0xC1, 0xC2, 0xC3, 0xC5, 0xC9, 0xCA, 0xCB, 0xCE])
    func takesEveryProcessOfJPEG(marker: UInt8) throws {
        // Steps are for transforms, these codes for Huffman's coding.
        let steps = marker & 3 == 3 ? [] : Self.quantisation
        let codes = marker < 0xC9 ? Self.huffman : []
        let plain =
            Self.start + steps + Self.frame(marker) + codes + Self.scan + Self.entropy + codes + Self.scan
            + Self.entropy + Self.end
        var bytes = plain + [0]
        #expect(try FrameCleaner(.jpegLossless).clean(&bytes) == 0)
        #expect(bytes == plain)
    }

    @Test func tablesThatNoScanUsesGo() throws {
        let hidden = [UInt8]((Self.secret + Self.secret + Self.secret + Self.secret + Self.secret).prefix(64))
        let codes = [UInt8](repeating: 0, count: 15) + [13] + hidden.prefix(13)
        let plain =
            Self.start + Self.quantisation + Self.frame(0xC0) + Self.huffman + Self.segment(0xDD, [0, 2]) + Self.scan
            + Self.entropy + Self.end
        for table in [
            // Of a number that nobody names, or that is named anew before its use.
            Self.segment(0xDB, [1] + hidden), Self.segment(0xDB, [0] + hidden), Self.segment(0xC4, [0x01] + codes),
            Self.segment(0xC4, [0x13] + codes), Self.segment(0xC4, [0x00] + codes),
            Self.segment(0xCC, [0x00] + hidden.prefix(1)), Self.segment(0xDD, Array(hidden.prefix(2))),
        ] {
            var bytes = Self.start + table + plain.dropFirst(2)
            try FrameCleaner(.jpegBaseline).clean(&bytes)
            #expect(bytes == plain, "\(table.prefix(5))")
            bytes = plain.dropLast(2) + table + Self.end
            try FrameCleaner(.jpegBaseline).clean(&bytes)
            #expect(bytes == plain, "\(table.prefix(5)) behind")
        }
        // Beside one that is used, in one segment.
        var bytes =
            Self.start + Self.segment(0xDB, [3] + hidden + [0] + [UInt8](repeating: 1, count: 64) + [1] + hidden)
            + plain.dropFirst(2 + Self.quantisation.count)
        try FrameCleaner(.jpegBaseline).clean(&bytes)
        #expect(bytes == plain)
    }

    @Test func aTableThatIsNamedAnewBeforeAScanUsesItGoes() throws {
        let hidden = [UInt8]((Self.secret + Self.secret + Self.secret + Self.secret + Self.secret).prefix(64))
        let again = Self.segment(0xDB, [0] + [UInt8](repeating: 2, count: 64))
        let scan = Self.scan + Self.entropy
        func stream(_ hidden: [UInt8]) -> [UInt8] {
            Self.start + Self.quantisation + Self.frame(0xC0) + Self.huffman + scan + scan + hidden + again + scan
                + scan
                + Self.end
        }
        var bytes = stream(Self.segment(0xDB, [0] + hidden))
        try FrameCleaner(.jpegBaseline).clean(&bytes)
        #expect(bytes == stream([]))
    }

    @Test func refusesAFrameOfAnotherShapeThanTheHeaderSays() throws {
        let jpeg = Self.start + Self.frame(0xC0) + Self.scan + Self.entropy + Self.end
        var open = jpeg
        // Lines that are told behind the scan.
        open.replaceSubrange(7..<9, with: [0, 0])
        open.replaceSubrange((open.count - 2)..., with: Self.segment(0xDC, [0, 8]) + Self.end)
        let codestream: [UInt8] =
            [0xFF, 0x4F] + Self.size + Self.style + Self.steps + Self.tilePart([], [1, 2]) + Self.end
        for (syntax, side, plain) in [
            (TransferSyntax.jpegBaseline, 8, jpeg), (.jpegBaseline, 8, open), (.jpeg2000, 4, codestream),
        ] {
            for (rows, columns, samples) in [
                (side, side, 1), (side / 2, side, 1), (side, side / 2, 1), (side + 1, side, 1), (side, side, 3),
            ] {
                var header = Self.image(rows: rows, columns: columns)
                header.set(.samplesPerPixel, .US, ints: [samples])
                var bytes = plain
                let cleaner = try FrameCleaner(syntax, header: header)
                if (rows, columns, samples) == (side, side, 1) {
                    try cleaner.clean(&bytes)
                    #expect(bytes == plain)
                } else {
                    #expect(throws: StreamError.self) { try cleaner.clean(&bytes) }
                }
            }
        }
    }

    @Test func refusesASecondFrameAndTablesOfPalettes() throws {
        let rest = Self.scan + Self.entropy + Self.end
        for (syntax, bytes) in [
            (TransferSyntax.jpegBaseline, Self.start + Self.frame(0xC0) + Self.frame(0xC0) + rest),
            (.jpegBaseline, Self.start + Self.segment(0xDE, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]) + Self.frame(0xC0) + rest),
            (.jpegBaseline, Self.start + Self.frame(0xC0) + Self.segment(0xDC, [0, 8]) + rest),
            (.jpegLSLossless, Self.start + Self.frame(0xF7) + Self.segment(0xF8, [2, 1, 1] + Self.secret) + rest),
            (.jpegLSLossless, Self.start + Self.frame(0xF7) + Self.segment(0xF8, [3, 1, 1] + Self.secret) + rest),
        ] {
            var bytes = bytes
            #expect(throws: StreamError.self) { try FrameCleaner(syntax).clean(&bytes) }
        }
    }

    @Test func leavesOutBytesThatFillUpBeforeARestart() throws {
        let head = Self.start + Self.frame(0xC0) + Self.scan
        var bytes = head + [0x12, 0xFF, 0xFF, 0xFF, 0xD1, 0x34, 0xFF, 0xFF] + Self.end.dropFirst()
        try FrameCleaner(.jpegBaseline).clean(&bytes)
        #expect(bytes == head + [0x12, 0xFF, 0xD1, 0x34] + Self.end)
    }

    @Test func keepsTheBitsOfJPEGLS() throws {
        let parameters = Self.segment(0xF8, [1, 0, 255, 0, 3, 0, 7, 0, 21, 0, 64])
        let transform = Self.segment(0xE8, Array("mrfx".utf8) + [2])
        let plain =
            Self.start + transform + Self.frame(0xF7) + parameters + Self.scan + [0x11, 0xFF, 0x7F, 0xFF, 0x01, 0x22]
            + Self.end
        var bytes =
            Self.start + transform + Self.segment(0xE8, Self.secret) + plain.dropFirst(2 + transform.count)
            + Self.secret
        try FrameCleaner(.jpegLSLossless).clean(&bytes)
        #expect(bytes == plain)
    }

    static let malformed: [(String, [UInt8])] = [
        ("empty", []), ("no start", [0, 1, 2, 3]), ("start alone", start), ("no scan", start + frame(0xC0) + end),
        ("no frame", start + scan + entropy + end), ("no end", start + frame(0xC0) + scan + entropy),
        ("cut", start + frame(0xC0) + scan + [0x12, 0xFF]), ("cut segment", start + [0xFF, 0xFE, 0x10, 0x00, 1]),
        ("second start", start + start + frame(0xC0) + scan + entropy + end),
        ("bytes between segments", start + [0x41] + frame(0xC0) + scan + entropy + end),
        (
            "a table with more than its values",
            start + segment(0xDB, [0] + [UInt8](repeating: 1, count: 64) + [9]) + frame(0xC0) + scan + entropy + end
        ),
        (
            "a code table that lies",
            start + segment(0xC4, [0, 0, 200] + [UInt8](repeating: 0, count: 15)) + frame(0xC0) + scan + entropy + end
        ),
        ("a restart interval with more", start + segment(0xDD, [0, 1, 0x41]) + frame(0xC0) + scan + entropy + end),
        ("a frame with more", start + segment(0xC0, [8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0x41]) + scan + entropy + end),
        ("a scan with more", start + frame(0xC0) + segment(0xDA, [1, 1, 0, 0, 63, 0, 0x41]) + entropy + end),
        ("a reserved marker", start + segment(0xF0, secret) + frame(0xC0) + scan + entropy + end),
    ]

    @Test(arguments: malformed)
    func refusesAMalformedJPEG(what: String, bytes: [UInt8]) throws {
        var bytes = bytes
        let cleaner = try FrameCleaner(.jpegBaseline)
        #expect(throws: StreamError.self, "\(what)") { try cleaner.clean(&bytes) }
    }

    // MARK: JPEG 2000

    static let size =
        [0xFF, 0x51, 0, 41, 0, 0, 0, 0, 0, 4, 0, 0, 0, 4] as [UInt8] + [UInt8](repeating: 0, count: 24) + [
            0, 1, 7, 1, 1,
        ]
    static let style: [UInt8] = [0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 0, 4, 4, 0, 0]
    static let steps: [UInt8] = [0xFF, 0x5C, 0, 4, 0x40, 0x40]

    static func tilePart(_ header: [UInt8], _ data: [UInt8], isOpen: Bool = false) -> [UInt8] {
        let length = isOpen ? 0 : 14 + header.count + data.count
        return [0xFF, 0x90, 0, 10, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (24 - 8 * $0)) } + [0, 1]
            + header + [0xFF, 0x93] + data
    }

    static func comment() -> [UInt8] { [0xFF, 0x64, 0, UInt8(secret.count + 4), 0, 1] + secret }

    @Test(arguments: [false, true])
    func leavesOfAJPEG2000WhatIsNeededToShowIt(isOpen: Bool) throws {
        let data: [UInt8] = [1, 2, 0xFF, 0x7F, 3, 4]
        let lengths: [UInt8] = [0xFF, 0x55, 0, 14, 0, 0x50, 0, 0, 0, 0, 20, 0, 0, 0, 0, 20]
        let head: [UInt8] = [0xFF, 0x4F] + Self.size + Self.style + Self.steps
        var bytes = head + Self.comment() + lengths + Self.tilePart([], data) + Self.tilePart([], data, isOpen: isOpen)
        bytes += Self.end + Self.secret
        let plain = head + lengths + Self.tilePart([], data) + Self.tilePart([], data, isOpen: isOpen) + Self.end
        try FrameCleaner(.jpeg2000).clean(&bytes)
        #expect(bytes == plain)
        // What a tile-part loses, the table of lengths tells; lengths of packets and places of components go.
        let packets = Self.segment(0x58, [0] + Self.secret)
        bytes = head + Self.segment(0x57, [0] + Self.secret) + Self.segment(0x63, Self.secret)
        bytes += lengths.dropLast() + [99] + Self.tilePart(Self.comment() + packets, data)
        bytes += Self.tilePart(Self.comment(), data, isOpen: isOpen) + Self.end
        try FrameCleaner(.htj2kLosslessRPCL).clean(&bytes)
        #expect(bytes == plain)
    }

    @Test func tablesOfLengthsThatFitNothingGo() throws {
        let data: [UInt8] = [1, 2, 3, 4]
        let head: [UInt8] = [0xFF, 0x4F] + Self.size + Self.style + Self.steps
        let rest = Self.tilePart([], data) + Self.tilePart([], data) + Self.end
        let hidden = [UInt8](Self.secret.prefix(10))
        for contents: [UInt8] in [
            [0, 0x40] + hidden, [0, 0x50] + hidden.prefix(5), [0, 0x50] + hidden + hidden.prefix(5),
            [0, 0x7F] + hidden,
            [0, 0x80] + hidden, [0, 0x50], [0, 0x40] + hidden.prefix(8),
        ] {
            var bytes = head + Self.segment(0x55, contents) + rest
            try FrameCleaner(.jpeg2000).clean(&bytes)
            #expect(bytes == head + rest, "\(contents)")
        }
        // Entries of two segments, in the shortest form.
        var bytes =
            head + Self.segment(0x55, [7, 0x10] + hidden.prefix(3)) + Self.segment(0x55, [9, 0x10, 1, 2, 3]) + rest
        try FrameCleaner(.jpeg2000).clean(&bytes)
        #expect(
            bytes == head + Self.segment(0x55, [0, 0x10, 0, 0, 18]) + Self.segment(0x55, [1, 0x10, 0, 0, 18]) + rest)
    }

    @Test func segmentsOfACodestreamAreAsLongAsTheirContentsSay() throws {
        let head: [UInt8] = [0xFF, 0x4F] + Self.size
        let part = Self.tilePart([], [1, 2])
        // What may be there, in the main header and in that of a tile-part.
        let precincts = Self.segment(0x52, [1, 0, 0, 1, 0, 2, 4, 4, 0, 0, 0x88, 0x88, 0x88])
        let component = Self.segment(0x53, [0, 0, 0, 4, 4, 0, 0])
        let steps = Self.segment(0x5C, [0x42] + [UInt8](repeating: 7, count: 14))
        let own = Self.segment(0x5D, [0, 0x40] + [UInt8](repeating: 7, count: 7))
        let region = Self.segment(0x5E, [0, 0, 3])
        let order = Self.segment(0x5F, [0, 0, 0, 1, 1, 1, 2])
        let abilities = Self.segment(0x50, [0, 2, 0, 0, 0, 1])
        let plain = head + abilities + precincts + component + steps + own + region + order
        for whole in [
            plain + part + Self.end,
            head + precincts + steps + Self.tilePart(component + own + region + order, [1, 2]) + Self.end,
        ] {
            var bytes = whole
            try FrameCleaner(.jpeg2000).clean(&bytes)
            #expect(bytes == whole)
        }
        let spare: [[UInt8]] = [
            // One byte more.
            Self.segment(0x52, [0, 0, 0, 1, 0, 0, 4, 4, 0, 0, 0x41]), Self.segment(0x53, [0, 0, 0, 4, 4, 0, 0, 0x41]),
            Self.segment(0x5C, [0x40, 7, 7]), Self.segment(0x5C, [0x41, 7, 7, 7]), Self.segment(0x5E, [0, 0, 3, 0x41]),
            Self.segment(0x5F, [0, 0, 0, 1, 1, 1, 2, 0x41]), Self.segment(0x50, [0, 2, 0, 0, 0, 1, 0, 1]),
            Self.segment(0x56, [0, 1, 0, 1, 0, 1]), Self.segment(0x59, Self.secret),
            // Steps of sub-bands that are not there, precincts and components that are not there.
            Self.segment(0x5C, [0x40] + [UInt8](repeating: 7, count: 10)),
            Self.segment(0x52, [0, 0, 0, 1, 0, 2, 4, 4, 0, 0, 0x88, 0x88, 0x88]), Self.segment(0x5D, [1, 0x40, 7]),
            // Once more.
            Self.steps + Self.steps, component + component, Self.size, region + region,
        ]
        for segment in spare {
            for whole in [head + segment + part + Self.end, head + Self.tilePart(segment, [1, 2]) + Self.end] {
                var bytes = whole
                #expect(throws: StreamError.self, "\(segment)") { try FrameCleaner(.jpeg2000).clean(&bytes) }
            }
        }
    }

    @Test(arguments: [UInt8(0x70), 0x74, 0x75, 0x77, 0x78, 0x7F])
    func extensionsOfJPEG2000AreNotCleanable(marker: UInt8) throws {
        let head: [UInt8] = [0xFF, 0x4F] + Self.size + Self.style + Self.steps
        let segment = Self.segment(marker, Self.secret)
        for syntax in [TransferSyntax.jpeg2000, .htj2k, TransferSyntax(uid: "1.2.840.10008.1.2.4.92")] {
            for whole in [head + segment + Self.tilePart([], [1]), head + Self.tilePart(segment, [1])] {
                var bytes = whole + Self.end
                #expect(throws: StreamError.notCleanable) { try FrameCleaner(syntax).clean(&bytes) }
            }
        }
    }

    @Test func leavesTheCodestreamOfAFileAlone() throws {
        func box(_ kind: String, _ contents: [UInt8]) -> [UInt8] {
            let count = contents.count + 8
            return [0, 0, UInt8(count >> 8), UInt8(count & 0xFF)] + Array(kind.utf8) + contents
        }
        let plain: [UInt8] = [0xFF, 0x4F] + Self.size + Self.style + Self.steps + Self.tilePart([], [1, 2]) + Self.end
        let opening = box("jP  ", [0x0D, 0x0A, 0x87, 0x0A]) + box("ftyp", Array("jp2 ".utf8))
        for rest in ["xml ", "uuid", "uinf", "asoc", "jp2i"] {
            var bytes =
                opening + box("jp2h", box("ihdr", [1, 2])) + box(rest, Self.secret) + box("jp2c", plain)
                + box(rest, Self.secret)
            try FrameCleaner(.jpeg2000Lossless).clean(&bytes)
            #expect(bytes == plain)
        }
        var bytes = opening + box("jp2h", box("pclr", [1, 2])) + box("jp2c", plain)
        #expect(throws: StreamError.notCleanable) { try FrameCleaner(.jpeg2000).clean(&bytes) }
        bytes = opening + box("xml ", Self.secret)
        #expect(throws: StreamError.self) { try FrameCleaner(.jpeg2000).clean(&bytes) }
    }

    @Test func endsACodestreamThatHasNoEnd() throws {
        let plain: [UInt8] = [0xFF, 0x4F] + Self.size + Self.style + Self.steps + Self.tilePart([], [1, 2])
        var bytes = plain
        try FrameCleaner(.jpeg2000).clean(&bytes)
        #expect(bytes == plain + Self.end)
    }

    @Test func refusesAMalformedCodestream() throws {
        let head: [UInt8] = [0xFF, 0x4F] + Self.size
        let cleaner = try FrameCleaner(.jpeg2000)
        let broken: [[UInt8]] = [
            [], head, head + Self.end, head + [0xFF, 0x30, 0, 2] + Self.tilePart([], [1]) + Self.end,
            head + Self.secret, Array((head + Self.tilePart([], [1])).dropLast(2)),
            head + Self.tilePart([], [1], isOpen: true), head + Self.tilePart([], [1]) + Self.secret + Self.end,
        ]
        for bytes in broken {
            var bytes = bytes
            #expect(throws: StreamError.self) { try cleaner.clean(&bytes) }
        }
    }

    // MARK: Run lengths, native and deflated

    private static func runLength(_ segments: [[UInt8]]) -> [UInt8] {
        var offset = 64
        var header = [UInt8](repeating: 0, count: 64)
        header[0] = UInt8(segments.count)
        for (index, segment) in segments.enumerated() {
            header[4 + 4 * index] = UInt8(offset)
            offset += segment.count
        }
        return header + segments.flatMap { $0 }
    }

    @Test func endsEachSegmentOfRunLengthsWithItsLastPixel() throws {
        let high: [UInt8] = [0xF1, 0x05]
        let low: [UInt8] = [15] + (0..<16).map { UInt8($0) }
        var header = Self.runLength([high + [0], low])
        header[20] = 0x41
        var bytes = header
        bytes.replaceSubrange(0..<header.count, with: Self.runLength([high, low + Self.secret]))
        bytes[40] = 0x41
        try FrameCleaner(.rleLossless, header: Self.image()).clean(&bytes)
        #expect(bytes == Self.runLength([high, low + [0]]))
    }

    @Test func cutsALastRunThatHasTooMuch() throws {
        let low: [UInt8] = [20] + (0..<21).map { UInt8($0) }
        var bytes = Self.runLength([[0xE1, 0x05], low])
        try FrameCleaner(.rleLossless, header: Self.image()).clean(&bytes)
        #expect(bytes == Self.runLength([[0xF1, 0x05], [15] + (0..<16).map { UInt8($0) } + [0]]))
    }

    @Test func clearsTheBitsOfRunLengthsThatHoldNoPixel() throws {
        let low: [UInt8] = [0xF1, 7]
        var bytes = Self.runLength([[0xF2, 0xF5, 0, 0x85], low])
        try FrameCleaner(.rleLossless, header: Self.image()).clean(&bytes)
        #expect(bytes == Self.runLength([[0xF2, 0x05, 0, 0x05], low]))
        bytes = Self.runLength([[0xF2, 0x5A, 0, 0x83], low])
        try FrameCleaner(.rleLossless, header: Self.image(isSigned: true)).clean(&bytes)
        #expect(bytes == Self.runLength([[0xF2, 0xFA, 0, 0x03], low]))
    }

    @Test func refusesMalformedRunLengths() throws {
        let cleaner = try FrameCleaner(.rleLossless, header: Self.image())
        let low: [UInt8] = [0xF1, 7]
        for bytes in [
            [], [UInt8](repeating: 0, count: 64), Self.runLength([low]), Self.runLength([low, low, low]),
            Self.runLength([low, [0xF2, 7]]),
            Self.runLength([low, [5, 1]]),
        ] {
            var bytes = bytes
            #expect(throws: StreamError.self) { try cleaner.clean(&bytes) }
        }
        #expect(throws: StreamError.notCleanable) { try FrameCleaner(.rleLossless) }
    }

    @Test func cutsANativeFrameAndItsWords() throws {
        let cleaner = try FrameCleaner(
            .encapsulatedUncompressedExplicitVRLittleEndian, header: Self.image(rows: 1, columns: 2))
        var bytes: [UInt8] = [0x34, 0xF2, 0x01, 0x00] + Self.secret
        try cleaner.clean(&bytes)
        #expect(bytes == [0x34, 0x02, 0x01, 0x00])
        bytes = [1, 2, 3]
        #expect(throws: StreamError.malformed(byteOffset: 3)) { try cleaner.clean(&bytes) }
    }

    @Test func deflatesAFrameAnewWithoutWhatFollowsIt() throws {
        func deflated(_ bytes: [UInt8]) throws -> [UInt8] {
            var result: [UInt8] = []
            let deflater = try #require(Deflater(give: { result += $0 }))
            try bytes.withUnsafeBytes { try deflater.feed($0) }
            try deflater.finish()
            return result
        }
        let cleaner = try FrameCleaner(.deflatedImageFrameCompression, header: Self.image(rows: 1, columns: 2))
        var bytes = try deflated([0x34, 0xF2, 1, 0]) + Self.secret
        try cleaner.clean(&bytes)
        #expect(try bytes == deflated([0x34, 0x02, 1, 0]))
        bytes = try deflated([1, 2, 3, 4] + Self.secret)
        #expect(throws: StreamError.self) { try cleaner.clean(&bytes) }
        bytes = try Array(deflated([1, 2, 3, 4]).dropLast(3))
        #expect(throws: StreamError.self) { try cleaner.clean(&bytes) }
    }

    // MARK: Bounds

    @Test func refusesWhatItCannotTakeApart() {
        for syntax in TransferSyntax.all
        where syntax.isVideo || syntax == .jpegXL || syntax == .jpegXLLossless || !syntax.isEncapsulated {
            #expect(throws: StreamError.notCleanable, "\(syntax.name)") {
                try FrameCleaner(syntax, header: Self.image())
            }
        }
    }

    @Test func holdsAFrameOfTheLimitAndNoLongerOne() throws {
        let plain = Self.start + Self.frame(0xC0) + Self.scan + Self.entropy + Self.end
        var bytes = plain + [UInt8](repeating: 0, count: FrameCleaner.frameByteCountLimit - plain.count)
        try FrameCleaner(.jpegBaseline).clean(&bytes)
        #expect(bytes == plain)
        bytes = plain + [UInt8](repeating: 0, count: FrameCleaner.frameByteCountLimit - plain.count + 1)
        #expect(throws: StreamError.tooLong(byteCountLimit: FrameCleaner.frameByteCountLimit)) {
            try FrameCleaner(.jpegBaseline).clean(&bytes)
        }
    }

    /// Any bytes at all, and any change to good ones: an answer or an error, and no secret beyond the scans' own bytes.
    @Test func neverBreaksOnDamage() throws {
        var numbers = TextPropertyTests.Numbers(state: 7)
        let jpeg =
            Self.start + Self.segment(0xE1, Self.secret) + Self.quantisation + Self.frame(0xC0) + Self.huffman
            + Self.scan + Self.entropy + Self.end
        let codestream: [UInt8] =
            [0xFF, 0x4F] + Self.size + Self.style + Self.comment() + Self.tilePart(Self.comment(), [1, 2]) + Self.end
        let runs = Self.runLength([[0xF1, 0x05], [15] + (0..<16).map { UInt8($0) }])
        for (syntax, side, plain) in [
            (TransferSyntax.jpegBaseline, 8, jpeg), (.jpegLSLossless, 8, jpeg), (.jpeg2000, 4, codestream),
            (.rleLossless, 4, runs),
        ] {
            let cleaner = try FrameCleaner(syntax, header: Self.image(rows: side, columns: side))
            for _ in 0..<600 {
                var bytes = plain
                for _ in 0..<Int.random(in: 1...3, using: &numbers) {
                    bytes[Int.random(in: 0..<bytes.count, using: &numbers)] = UInt8.random(in: 0...255, using: &numbers)
                }
                bytes.removeLast(Int.random(in: 0...4, using: &numbers))
                guard (try? cleaner.clean(&bytes)) != nil else { continue }
                var again = bytes
                try cleaner.clean(&again)
                #expect(again == bytes)
            }
        }
    }
}
