import Foundation

/// An encapsulated object of many frames that is sent as it is made: no file of it is ever there.
struct LargeObject {
    static let frameByteCount = 512 * 1024
    /// JPEG-LS lossless: frames as they are stored need not be decoded, and these cannot be.
    static let transferSyntax = "1.2.840.10008.1.2.4.80"

    let identity: StudyIdentity
    let frameCount: Int

    /// Stores it by one request.
    func store(by door: WebDoor) throws(BenchError) {
        let boundary = "huizhen-bench"
        let head = Array("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8) + header
        let tail = Self.sequenceDelimiter + Array("\r\n--\(boundary)--\r\n".utf8)
        let item = Self.item(Self.frameByteCount)
        var random = SplitMix64(state: 7)
        var frame: [UInt8] = []
        while frame.count < Self.frameByteCount { frame += withUnsafeBytes(of: random.next()) { Array($0) } }
        let total = head.count + frameCount * (item.count + Self.frameByteCount) + tail.count
        let connection = try WebConnection(port: door.port)
        try connection.send(door.post(byteCount: total, boundary: boundary), moreComes: true)
        try connection.send(head, moreComes: true)
        for _ in 0..<frameCount {
            try connection.send(item, moreComes: true)
            try connection.send(frame, moreComes: true)
        }
        try connection.send(tail)
        let answer = try connection.answer()
        guard answer.status == 200 else {
            throw .failed(process: "storing the large object", status: Int32(answer.status), lastWords: "")
        }
    }

    /// Everything before the first fragment; the Basic Offset Table is empty. PS3.5 §A.4.
    var header: [UInt8] {
        var writer = Part10Writer(
            sopClass: Phantom.multiFrameGrayscaleWordSecondaryCapture, identity: identity, index: 0,
            transferSyntax: Self.transferSyntax)
        writer.text(0x0008, 0x0008, "CS", "DERIVED\\SECONDARY")
        writer.uid(0x0008, 0x0016, Phantom.multiFrameGrayscaleWordSecondaryCapture)
        writer.uid(0x0008, 0x0018, identity.instance(0))
        writer.text(0x0008, 0x0020, "DA", "20240229")
        writer.text(0x0008, 0x0060, "CS", "OT")
        writer.text(0x0010, 0x0010, "PN", "Phantom^Large")
        writer.text(0x0010, 0x0020, "LO", "BENCH-0002")
        writer.uid(0x0020, 0x000D, identity.study)
        writer.uid(0x0020, 0x000E, identity.series)
        writer.text(0x0020, 0x0013, "IS", "1")
        writer.unsigned(0x0028, 0x0002, 1)
        writer.text(0x0028, 0x0004, "CS", "MONOCHROME2")
        writer.text(0x0028, 0x0008, "IS", String(frameCount))
        writer.unsigned(0x0028, 0x0010, 512)
        writer.unsigned(0x0028, 0x0011, 512)
        writer.unsigned(0x0028, 0x0100, 16)
        writer.unsigned(0x0028, 0x0101, 16)
        writer.unsigned(0x0028, 0x0102, 15)
        writer.unsigned(0x0028, 0x0103, 0)
        writer.header(0x7FE0, 0x0010, longVR: "OB", byteCount: .max)
        return Array(writer.bytes) + Self.item(0)
    }

    private static func item(_ byteCount: Int) -> [UInt8] {
        [0xFE, 0xFF, 0x00, 0xE0] + withUnsafeBytes(of: UInt32(byteCount).littleEndian) { Array($0) }
    }

    static let sequenceDelimiter: [UInt8] = [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]

    /// The item of the first frame of a file with one fragment for each frame; nil where there is none.
    static func firstFrame(of file: Data) -> Data? {
        let start: [UInt8] = [0xE0, 0x7F, 0x10, 0x00, 0x4F, 0x42, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE, 0xFF, 0x00, 0xE0]
        guard let pixels = file.range(of: Data(start)) else { return nil }
        func length(_ at: Int) -> Int? {
            guard at + 4 <= file.count else { return nil }
            return file[at..<at + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        // Behind the offset table.
        guard let table = length(pixels.upperBound) else { return nil }
        let item = pixels.upperBound + 4 + table
        guard let count = length(item + 4), item + 8 + count <= file.count else { return nil }
        return Data(file[item..<item + 8 + count])
    }
}
