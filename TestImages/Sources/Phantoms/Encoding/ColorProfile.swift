/// An ICC profile for the sRGB primaries with a gamma of 2.2, made here from its numbers. ICC.1:2001-04.
enum ColorProfile {
    static let standardRGB: [UInt8] = {
        let tags: [(String, [UInt8])] = [
            ("desc", description("sRGB primaries, gamma 2.2")),
            ("cprt", text("text") + ascii("No copyright") + [0]),
            ("wtpt", xyz(0.9642, 1, 0.8249)), ("rXYZ", xyz(0.4361, 0.2225, 0.0139)),
            ("gXYZ", xyz(0.3851, 0.7169, 0.0971)), ("bXYZ", xyz(0.1431, 0.0606, 0.7139)),
            ("rTRC", gamma), ("gTRC", gamma), ("bTRC", gamma),
        ]
        var table = big(UInt32(tags.count))
        var data: [UInt8] = []
        let dataOffset = 128 + 4 + 12 * tags.count
        for (name, value) in tags {
            table += ascii(name) + big(UInt32(dataOffset + data.count)) + big(UInt32(value.count))
            data += value
            while data.count % 4 != 0 { data.append(0) }
        }
        return header(byteCount: dataOffset + data.count) + table + data
    }()

    private static func header(byteCount: Int) -> [UInt8] {
        var bytes = big(UInt32(byteCount)) + [0, 0, 0, 0] + big(0x0220_0000)
        bytes += ascii("mntrRGB XYZ ")
        // Created on 1 January 2026, year to second in 16 bits each.
        for part: UInt16 in [2026, 1, 1, 0, 0, 0] { bytes += [UInt8(part >> 8), UInt8(truncatingIfNeeded: part)] }
        bytes += ascii("acsp") + [UInt8](repeating: 0, count: 28)
        // The illuminant of the profile connection space, D50.
        bytes += fixed(0.9642) + fixed(1) + fixed(0.8249)
        return bytes + [UInt8](repeating: 0, count: 128 - bytes.count)
    }

    private static let gamma: [UInt8] = text("curv") + big(1) + [0x02, 0x33]

    private static func description(_ string: String) -> [UInt8] {
        text("desc") + big(UInt32(string.utf8.count + 1)) + ascii(string) + [UInt8](repeating: 0, count: 1 + 8 + 3 + 67)
    }

    private static func xyz(_ x: Double, _ y: Double, _ z: Double) -> [UInt8] {
        text("XYZ ") + fixed(x) + fixed(y) + fixed(z)
    }

    private static func text(_ type: String) -> [UInt8] { ascii(type) + [0, 0, 0, 0] }

    private static func ascii(_ string: String) -> [UInt8] { Array(string.utf8) }

    /// s15Fixed16Number.
    private static func fixed(_ number: Double) -> [UInt8] { big(UInt32((number * 65536).rounded())) }

    private static func big(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
    }
}
