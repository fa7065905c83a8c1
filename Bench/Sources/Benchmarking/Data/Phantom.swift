import Foundation

/// What a workload's objects are like.
public struct Workload: Equatable, Sendable {
    public let name: String
    public let objectCount: Int
    public let rows: Int
    public let columns: Int
    /// More than one makes a multi-frame object whose frames are a hole in the file.
    public let frameCount: Int

    public var pixelByteCount: Int { rows * columns * 2 * frameCount }
    public var isSparse: Bool { frameCount > 1 }

    public static func ct(quick: Bool) -> Workload {
        Workload(name: "ct", objectCount: quick ? 40 : 400, rows: 512, columns: 512, frameCount: 1)
    }

    /// A study of CT of another size.
    static func ct(_ objectCount: Int) -> Workload {
        Workload(name: "ct-\(objectCount)", objectCount: objectCount, rows: 512, columns: 512, frameCount: 1)
    }

    /// Objects of about 10 KB.
    public static func small(quick: Bool) -> Workload {
        Workload(name: "small", objectCount: quick ? 200 : 2000, rows: 72, columns: 64, frameCount: 1)
    }

    /// Four objects of 1 GiB of pixels each.
    public static func large(quick: Bool) -> Workload {
        Workload(name: "large", objectCount: 4, rows: 512, columns: 512, frameCount: quick ? 128 : 2048)
    }

    /// Twenty of them.
    static func huge(quick: Bool) -> Workload {
        Workload(name: "huge", objectCount: 20, rows: 512, columns: 512, frameCount: quick ? 16 : 2048)
    }
}

/// Makes the objects of a workload: a CT-like disc with noise that no two slices share.
struct Phantom {
    static let ctImageStorage = "1.2.840.10008.5.1.4.1.1.2"
    static let multiFrameGrayscaleWordSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7.3"

    let workload: Workload
    private let disc: [UInt16]
    private let noise: [UInt16]

    init(workload: Workload, seed: UInt64) {
        self.workload = workload
        guard !workload.isSparse else {
            disc = []
            noise = []
            return
        }
        let (rows, columns) = (workload.rows, workload.columns)
        disc = (0..<rows * columns).map { index in
            let y = Double(index / columns) / Double(rows) - 0.5
            let x = Double(index % columns) / Double(columns) - 0.5
            let distance = (x * x + y * y * 1.4).squareRoot()
            return distance < 0.08 ? 1600 : distance < 0.38 ? 1080 : distance < 0.42 ? 900 : 24
        }
        var random = SplitMix64(state: seed)
        // Longer than an image: each slice reads it from another place.
        noise = (0..<rows * columns * 2).map { _ in
            let bits = random.next()
            return UInt16(bits & 15) + UInt16(bits >> 8 & 15) + UInt16(bits >> 16 & 15)
        }
    }

    /// The header of one object, up to and with the length of Pixel Data.
    func header(of index: Int, identity: StudyIdentity) -> Part10Writer {
        let sopClass = workload.isSparse ? Self.multiFrameGrayscaleWordSecondaryCapture : Self.ctImageStorage
        var writer = Part10Writer(sopClass: sopClass, identity: identity, index: index)
        writer.text(0x0008, 0x0005, "CS", "ISO_IR 100")
        writer.text(0x0008, 0x0008, "CS", workload.isSparse ? "DERIVED\\SECONDARY" : "ORIGINAL\\PRIMARY\\AXIAL")
        writer.uid(0x0008, 0x0016, sopClass)
        writer.uid(0x0008, 0x0018, identity.instance(index))
        writer.text(0x0008, 0x0020, "DA", "20240229")
        writer.text(0x0008, 0x0021, "DA", "20240229")
        writer.text(0x0008, 0x0030, "TM", "101500")
        writer.text(0x0008, 0x0050, "SH", "BENCH0001")
        writer.text(0x0008, 0x0060, "CS", workload.isSparse ? "OT" : "CT")
        if workload.isSparse { writer.text(0x0008, 0x0064, "CS", "SYN") }
        writer.text(0x0008, 0x0070, "LO", "Phantom")
        writer.text(0x0008, 0x0090, "PN", "Referring^Nobody")
        writer.text(0x0008, 0x1030, "LO", "Benchmark study")
        writer.text(0x0008, 0x103E, "LO", "Thorax 1.0 B30")
        writer.text(0x0010, 0x0010, "PN", "Phantom^Bench")
        writer.text(0x0010, 0x0020, "LO", "BENCH-0001")
        writer.text(0x0010, 0x0030, "DA", "19700101")
        writer.text(0x0010, 0x0040, "CS", "O")
        if !workload.isSparse {
            writer.text(0x0018, 0x0050, "DS", "1.0")
            writer.text(0x0018, 0x0060, "DS", "120")
        }
        writer.uid(0x0020, 0x000D, identity.study)
        writer.uid(0x0020, 0x000E, identity.series)
        writer.text(0x0020, 0x0010, "SH", "1")
        writer.text(0x0020, 0x0011, "IS", "2")
        writer.text(0x0020, 0x0013, "IS", String(index + 1))
        if !workload.isSparse {
            writer.text(0x0020, 0x0032, "DS", "-175\\-175\\\(index)")
            writer.text(0x0020, 0x0037, "DS", "1\\0\\0\\0\\1\\0")
            writer.uid(0x0020, 0x0052, identity.series)
        }
        writer.unsigned(0x0028, 0x0002, 1)
        writer.text(0x0028, 0x0004, "CS", "MONOCHROME2")
        if workload.isSparse { writer.text(0x0028, 0x0008, "IS", String(workload.frameCount)) }
        writer.unsigned(0x0028, 0x0010, UInt16(workload.rows))
        writer.unsigned(0x0028, 0x0011, UInt16(workload.columns))
        if !workload.isSparse { writer.text(0x0028, 0x0030, "DS", "0.684\\0.684") }
        writer.unsigned(0x0028, 0x0100, 16)
        writer.unsigned(0x0028, 0x0101, 16)
        writer.unsigned(0x0028, 0x0102, 15)
        writer.unsigned(0x0028, 0x0103, 0)
        writer.text(0x0028, 0x1052, "DS", "-1024")
        writer.text(0x0028, 0x1053, "DS", "1")
        writer.header(0x7FE0, 0x0010, longVR: "OW", byteCount: UInt32(workload.pixelByteCount))
        return writer
    }

    /// The pixels of one slice, little endian.
    func pixels(of index: Int) -> Data {
        // An odd stride visits every offset before it repeats.
        let offset = index * 7919 % disc.count
        return noise.withUnsafeBufferPointer { noise in
            disc.withUnsafeBufferPointer { disc in
                var values = [UInt16](repeating: 0, count: disc.count)
                for place in 0..<disc.count { values[place] = (disc[place] + noise[place + offset]).littleEndian }
                return values.withUnsafeBytes { Data($0) }
            }
        }
    }
}
