import DICOM
import HTTP

/// What the pixel data of a store request are, by the media type and the first bytes of their part. PS3.18 §8.7.3.
enum BulkMediaType {
    /// Bytes of a part that are looked at.
    static let headByteCount = 64 << 10

    private static let defaults: [String: TransferSyntax] = [
        "image/dicom-rle": .rleLossless, "image/jls": .jpegLSLossless, "image/jp2": .jpeg2000Lossless,
        "image/jphc": .htj2kLossless, "image/jxl": .jpegXL,
        "video/mpeg": TransferSyntax(uid: "1.2.840.10008.1.2.4.100"),
        "video/mp4": TransferSyntax(uid: "1.2.840.10008.1.2.4.102"),
        "application/octet-stream": .explicitVRLittleEndian,
    ]

    /// The transfer syntax of the object that the part makes; nil when it cannot be one.
    static func syntax(_ type: MediaRange, head: [UInt8]) -> TransferSyntax? {
        guard let uid = type["transfer-syntax"] else {
            return type.essence == "image/jpeg" ? jpeg(head) : defaults[type.essence]
        }
        let syntax = TransferSyntax(uid: uid)
        guard TransferSyntax.isKnown(uid: uid), syntax.isStorable, !syntax.isDeflated, !syntax.isBigEndian else {
            return nil
        }
        let own = FrameMediaType.type(of: syntax).essence
        guard type.essence == own || type.essence == "application/octet-stream" else { return nil }
        return syntax.isEncapsulated ? syntax : .explicitVRLittleEndian
    }

    /// The JPEG process, by its first frame header. ISO 10918-1 §B.2.2.
    static func jpeg(_ head: [UInt8]) -> TransferSyntax? {
        var index = 2
        var isLossless = false
        guard head.starts(with: [0xFF, 0xD8]) else { return nil }
        while index + 4 <= head.count, head[index] == 0xFF {
            let marker = head[index + 1]
            if marker == 0xFF {
                index += 1
                continue
            }
            let length = Int(head[index + 2]) << 8 | Int(head[index + 3])
            switch marker {
            case 0xC0: return .jpegBaseline
            case 0xC1: return .jpegExtended
            case 0xC3: isLossless = true
            case 0xC2, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF: return nil
            case 0xDA:
                guard isLossless, index + 4 < head.count else { return nil }
                // The selection value stands behind the components.
                let place = index + 5 + 2 * Int(head[index + 4])
                return place < head.count && head[place] == 1 ? .jpegLosslessSV1 : .jpegLossless
            default: break
            }
            guard length >= 2 else { return nil }
            index += 2 + length
        }
        return nil
    }

    /// Where the codestream lies in a JP2 file, which a dataset takes bare. ISO 15444-1 §I.4; PS3.5 §8.2.4.
    ///
    /// - Returns: nil when it is bare already.
    static func codestream(_ head: [UInt8], byteCount: UInt64) -> (offset: UInt64, byteCount: UInt64)? {
        guard head.starts(with: [0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20]) else { return nil }
        var index = 0
        while index + 16 <= head.count {
            func number(_ offset: Int, _ count: Int) -> UInt64 {
                head[offset..<offset + count].reduce(0) { $0 << 8 | UInt64($1) }
            }
            var length = number(index, 4)
            let type = number(index + 4, 4)
            var headCount: UInt64 = 8
            if length == 1 {
                length = number(index + 8, 8)
                headCount = 16
            }
            let left = byteCount - UInt64(index)
            if length == 0 { length = left }
            guard length >= headCount, length <= left else { return nil }
            if type == 0x6A70_3263 { return (UInt64(index) + headCount, length - headCount) }
            guard let next = Int(exactly: UInt64(index) + length) else { return nil }
            index = next
        }
        return nil
    }
}
