import Foundation

/// Part 10 files of a CT slice's shape, without a patient.
enum SyntheticCT {
    static let rowCount = 512

    static func dataSet(number: Int, byteCount: Int = rowCount * rowCount * 2) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes += short(0x0008, 0x0016, "UI", uid(SOPClass.ctImageStorage))
        bytes += short(0x0008, 0x0018, "UI", uid(sopInstanceUID(number)))
        bytes += short(0x0010, 0x0020, "LO", Array("PHANTOM ".utf8))
        bytes += short(0x0020, 0x000d, "UI", uid("2.25.1"))
        bytes += short(0x0020, 0x000e, "UI", uid("2.25.2"))
        bytes += [0xe0, 0x7f, 0x10, 0x00] + Array("OW".utf8) + [0, 0]
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: byteCount >> (8 * $0)) }
        return bytes + (0..<byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number) }
    }

    static func sopInstanceUID(_ number: Int) -> String { "2.25.3.\(number)" }

    static func write(number: Int, to folder: URL) throws {
        var meta: [UInt8] = []
        meta += [0x02, 0, 0x01, 0] + Array("OB".utf8) + [0, 0, 2, 0, 0, 0, 0, 1]
        meta += short(0x0002, 0x0002, "UI", uid(SOPClass.ctImageStorage))
        meta += short(0x0002, 0x0003, "UI", uid(sopInstanceUID(number)))
        meta += short(0x0002, 0x0010, "UI", uid(Syntax.explicitLittleEndian))
        meta += short(0x0002, 0x0012, "UI", uid("2.25.4"))
        let length = (0..<4).map { UInt8(truncatingIfNeeded: meta.count >> (8 * $0)) }
        let head = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + short(0x0002, 0x0000, "UL", length)
        try Data(head + meta + dataSet(number: number)).write(to: folder.appending(path: "\(number).dcm"))
    }

    private static func uid(_ text: String) -> [UInt8] {
        text.utf8.count.isMultiple(of: 2) ? Array(text.utf8) : text.utf8 + [0]
    }

    private static func short(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: [UInt8]) -> [UInt8] {
        [UInt8(group & 0xff), UInt8(group >> 8), UInt8(element & 0xff), UInt8(element >> 8)] + Array(vr.utf8)
            + [UInt8(value.count & 0xff), UInt8(value.count >> 8)] + value
    }
}

/// A folder that goes away with this value.
final class TemporaryFolder {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appending(path: "toolkit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }
}
