import DICOM
import NIOCore

/// Writes a video in fragments, each a group of pictures that was coded by itself. ISO/IEC 14496-12 §8.8, 14496-15 §5.
struct MP4Movie {
    /// Parts of a second that times are counted in.
    static let timescale: UInt32 = 90_000

    private let format: VideoFormat
    /// Pictures that are wanted; some may be left out.
    private let frameCount: Int
    private let frameTicks: UInt32
    /// Those of the first group; all have the same.
    private var parameterSets: [[UInt8]]?
    private var fragmentCount: UInt32 = 0
    private var writtenCount: UInt64 = 0

    init(_ format: VideoFormat, frameCount: Int) {
        self.format = format
        self.frameCount = frameCount
        let (seconds, attoseconds) = format.frameDuration.components
        let ticks = (Double(seconds) + Double(attoseconds) * 1e-18) * Double(Self.timescale)
        frameTicks = UInt32(min(max(ticks.rounded(), 1), 1e9))
    }

    /// Writes the next group as a fragment; before the first what all have in common.
    ///
    /// - Parameter group: as `hz_video_encode` writes it; not trusted.
    /// - Returns: false for a group that is none, or of another video; nothing is written then.
    mutating func add(_ group: [UInt8], to buffer: inout ByteBuffer) -> Bool {
        guard let group = H264Group(group), parameterSets ?? group.parameterSets == group.parameterSets else {
            return false
        }
        if parameterSets == nil {
            parameterSets = group.parameterSets
            writeBeginning(group, to: &buffer)
        }
        fragmentCount += 1
        writeFragment(group, to: &buffer)
        writtenCount += UInt64(group.samples.count)
        return true
    }

    // MARK: The beginning

    private func writeBeginning(_ group: H264Group, to buffer: inout ByteBuffer) {
        buffer.writeBox("ftyp") { box in
            box.writeString("iso5")
            box.writeInteger(UInt32(0))
            box.writeString("iso5iso6avc1mp41")
        }
        buffer.writeBox("moov") { box in
            box.writeFullBox("mvhd") { box in
                box.writeIntegers(0, 0, Self.timescale, 0)
                // Rate and volume 1.
                box.writeIntegers(0x0001_0000, 0x0100_0000, 0, 0)
                box.writeMatrix()
                box.writeZeros(24)
                // The track that would come next.
                box.writeIntegers(2)
            }
            box.writeBox("trak") { box in
                // Enabled, in the movie, in its preview.
                box.writeFullBox("tkhd", flags: 7) { box in
                    box.writeIntegers(0, 0, 1, 0, 0, 0, 0, 0, 0)
                    box.writeMatrix()
                    box.writeIntegers(UInt32(format.width) << 16, UInt32(format.height) << 16)
                }
                box.writeBox("mdia") { writeMedia(group, to: &$0) }
            }
            box.writeBox("mvex") { box in
                box.writeFullBox("mehd", version: 1) { box in
                    box.writeInteger(UInt64(frameCount) * UInt64(frameTicks))
                }
                box.writeFullBox("trex") { box in
                    // Needs others, and none can begin with it.
                    box.writeIntegers(1, 1, frameTicks, 0, 0x0101_0000)
                }
            }
        }
    }

    private func writeMedia(_ group: H264Group, to box: inout ByteBuffer) {
        box.writeFullBox("mdhd") { box in
            box.writeIntegers(0, 0, Self.timescale, 0)
            // No language.
            box.writeInteger(UInt16(0x55C4))
            box.writeInteger(UInt16(0))
        }
        box.writeFullBox("hdlr") { box in
            box.writeIntegers(0)
            box.writeString("vide")
            box.writeZeros(13)
        }
        box.writeBox("minf") { box in
            box.writeFullBox("vmhd", flags: 1) { $0.writeZeros(8) }
            box.writeBox("dinf") { box in
                box.writeFullBox("dref") { box in
                    box.writeIntegers(1)
                    // All is in this file.
                    box.writeFullBox("url ", flags: 1) { _ in }
                }
            }
            box.writeBox("stbl") { box in
                box.writeFullBox("stsd") { box in
                    box.writeIntegers(1)
                    box.writeBox("avc1") { writeEntry(group, to: &$0) }
                }
                // All samples are in the fragments.
                for name in ["stts", "stsc", "stco"] { box.writeFullBox(name) { $0.writeIntegers(0) } }
                box.writeFullBox("stsz") { $0.writeIntegers(0, 0) }
            }
        }
    }

    /// 14496-12 §12.1.3, 14496-15 §5.3.3 and §5.4.2.
    private func writeEntry(_ group: H264Group, to box: inout ByteBuffer) {
        box.writeZeros(6)
        box.writeInteger(UInt16(1))
        box.writeZeros(16)
        box.writeInteger(UInt16(format.codedWidth))
        box.writeInteger(UInt16(format.codedHeight))
        // 72 pixels an inch.
        box.writeIntegers(0x0048_0000, 0x0048_0000, 0)
        box.writeInteger(UInt16(1))
        box.writeZeros(32)
        box.writeInteger(UInt16(0x18))
        box.writeInteger(UInt16.max)
        box.writeBox("avcC") { box in
            let sequence = group.parameterSets[0]
            box.writeInteger(UInt8(1))
            // Profile, its constraints, level.
            box.writeBytes(sequence[1..<4])
            // Lengths of 4 bytes; then one set of each kind.
            box.writeBytes([0xFF, 0xE1])
            for (index, set) in group.parameterSets.enumerated() {
                if index == 1 { box.writeInteger(UInt8(1)) }
                box.writeInteger(UInt16(set.count))
                box.writeBytes(set)
            }
        }
        box.writeBox("colr") { box in
            // As the stream says it: primaries, curve and matrix of ISO/IEC 23091-2, limited range.
            box.writeString("nclx")
            let meanings: [UInt16] = format.isSRGB ? [1, 13, 1] : [2, 2, 1]
            for meaning in meanings { box.writeInteger(meaning) }
            box.writeInteger(UInt8(0))
        }
        box.writeBox("pasp") { $0.writeIntegers(1, 1) }
        guard format.codedWidth != format.width || format.codedHeight != format.height else { return }
        // The part that is shown: its sides, and how far its middle lies from the middle of what is coded.
        box.writeBox("clap") { box in
            box.writeIntegers(UInt32(format.width), 1, UInt32(format.height), 1)
            box.writeIntegers(UInt32(bitPattern: Int32(format.width - format.codedWidth)), 2)
            box.writeIntegers(UInt32(bitPattern: Int32(format.height - format.codedHeight)), 2)
        }
    }

    // MARK: Fragments

    private func writeFragment(_ group: H264Group, to buffer: inout ByteBuffer) {
        let start = buffer.writerIndex
        var dataOffsetIndex = start
        buffer.writeBox("moof") { box in
            box.writeFullBox("mfhd") { $0.writeIntegers(fragmentCount) }
            box.writeBox("traf") { box in
                // Places are counted from the beginning of this fragment.
                box.writeFullBox("tfhd", flags: 0x02_0000) { $0.writeIntegers(1) }
                box.writeFullBox("tfdt", version: 1) { $0.writeInteger(writtenCount * UInt64(frameTicks)) }
                // With the data's place, flags of the first sample, and sizes.
                box.writeFullBox("trun", flags: 0x205) { box in
                    box.writeIntegers(UInt32(group.samples.count))
                    dataOffsetIndex = box.writerIndex
                    // The first sample needs no other.
                    box.writeIntegers(0, 0x0200_0000)
                    for sample in group.samples { box.writeIntegers(UInt32(sample.count)) }
                }
            }
        }
        buffer.setInteger(UInt32(buffer.writerIndex - start + 8), at: dataOffsetIndex)
        buffer.writeBox("mdat") { box in
            for sample in group.samples { box.writeBytes(group.bytes[sample]) }
        }
    }
}

/// A group of coded pictures as a worker delivers it: parameter sets and samples with their lengths before them.
private struct H264Group {
    let bytes: [UInt8]
    /// The sequence's and the picture's.
    let parameterSets: [[UInt8]]
    /// Where each picture lies: NAL units, each behind its length.
    let samples: [Range<Int>]

    /// Kinds of NAL units. ISO/IEC 14496-10 Table 7-1.
    private enum Kind: UInt8 {
        case slice = 1
        case independentSlice = 5
        case sequence = 7
        case picture = 8

        init?(_ byte: UInt8) { self.init(rawValue: byte & 0x1F) }
    }

    /// Longest parameter set, in bytes.
    private static let setLimit = 256

    init?(_ bytes: [UInt8]) {
        var offset = 0
        func next(before end: Int) -> Range<Int>? {
            guard end - offset >= 4 else { return nil }
            let length = bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
            guard length <= end - offset - 4 else { return nil }
            defer { offset += 4 + length }
            return offset + 4..<offset + 4 + length
        }
        guard let sequence = next(before: bytes.count), let picture = next(before: bytes.count),
            (4...Self.setLimit).contains(sequence.count), (2...Self.setLimit).contains(picture.count),
            Kind(bytes[sequence.lowerBound]) == .sequence, Kind(bytes[picture.lowerBound]) == .picture
        else { return nil }
        var samples: [Range<Int>] = []
        while offset < bytes.count {
            guard let sample = next(before: bytes.count) else { return nil }
            // A frame that could not be decoded.
            if sample.isEmpty { continue }
            guard samples.count < VideoFormat.groupLimit else { return nil }
            let kind: Kind = samples.isEmpty ? .independentSlice : .slice
            offset = sample.lowerBound
            while offset < sample.upperBound {
                guard let unit = next(before: sample.upperBound), let first = bytes[unit].first, Kind(first) == kind
                else {
                    return nil
                }
            }
            samples.append(sample)
        }
        guard !samples.isEmpty else { return nil }
        self.bytes = bytes
        parameterSets = [Array(bytes[sequence]), Array(bytes[picture])]
        self.samples = samples
    }
}

extension ByteBuffer {
    /// Writes a box: its length, its name, and what `body` writes. 14496-12 §4.2.
    fileprivate mutating func writeBox(_ name: String, _ body: (inout ByteBuffer) -> Void) {
        let start = writerIndex
        writeInteger(UInt32(0))
        writeString(name)
        body(&self)
        setInteger(UInt32(writerIndex - start), at: start)
    }

    fileprivate mutating func writeFullBox(
        _ name: String, version: UInt32 = 0, flags: UInt32 = 0, _ body: (inout ByteBuffer) -> Void
    ) {
        writeBox(name) { box in
            box.writeInteger(version << 24 | flags)
            body(&box)
        }
    }

    fileprivate mutating func writeIntegers(_ values: UInt32...) {
        for value in values { writeInteger(value) }
    }

    fileprivate mutating func writeZeros(_ count: Int) { writeRepeatingByte(0, count: count) }

    /// Neither turned nor scaled.
    fileprivate mutating func writeMatrix() {
        writeIntegers(0x0001_0000, 0, 0, 0, 0x0001_0000, 0, 0, 0, 0x4000_0000)
    }
}
