import NIOCore

/// Puts pictures, each a GIF of one image with its table of colors, together to one that moves. GIF89a.
struct GIFAnimation {
    /// Hundredths of a second that each image is shown; viewers take less than two for ten.
    private let delay: UInt16
    private var isBegun = false

    init(frameDuration: Duration) {
        let (seconds, attoseconds) = frameDuration.components
        let hundredths = (Double(seconds) + Double(attoseconds) * 1e-18) * 100
        delay = UInt16(min(max(hundredths.rounded(), 2), 1000))
    }

    /// Writes the next image; before the first what all have in common: their size, and that they repeat for ever.
    ///
    /// - Returns: false for a picture that is none of ours; nothing is written then.
    mutating func add(_ picture: [UInt8], to buffer: inout ByteBuffer) -> Bool {
        guard let image = Image(picture) else { return false }
        if !isBegun {
            isBegun = true
            buffer.writeString("GIF89a")
            buffer.writeBytes(picture[6..<10])
            // No table for all; 8 bits of each color.
            buffer.writeBytes([0x70, 0, 0])
            buffer.writeBytes([0x21, 0xFF, 11])
            buffer.writeString("NETSCAPE2.0")
            buffer.writeBytes([3, 1, 0, 0, 0])
        }
        buffer.writeBytes([0x21, 0xF9, 4, 0, UInt8(delay & 0xFF), UInt8(delay >> 8), 0, 0])
        buffer.writeBytes(picture[image.descriptor].dropLast())
        buffer.writeInteger(0x80 | image.tableSize)
        buffer.writeBytes(picture[image.table])
        buffer.writeBytes(picture[image.data])
        return true
    }

    static let end: UInt8 = 0x3B

    /// Where the parts of a GIF of one image are.
    private struct Image {
        let table: Range<Int>
        /// As the descriptor says it: the power of two, less one.
        let tableSize: UInt8
        let descriptor: Range<Int>
        let data: Range<Int>

        init?(_ bytes: [UInt8]) {
            guard bytes.count > 13, bytes.starts(with: Array("GIF8".utf8)), bytes[10] & 0x80 != 0,
                bytes.last == GIFAnimation.end
            else { return nil }
            tableSize = bytes[10] & 7
            table = 13..<(13 + 3 << (Int(tableSize) + 1))
            descriptor = table.upperBound..<(table.upperBound + 10)
            guard descriptor.upperBound < bytes.count, bytes[descriptor.lowerBound] == 0x2C,
                bytes[descriptor.upperBound - 1] == 0
            else { return nil }
            data = descriptor.upperBound..<(bytes.count - 1)
        }
    }
}
