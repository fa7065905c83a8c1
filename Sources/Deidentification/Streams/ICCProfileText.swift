/// Takes the texts out of an ICC profile and leaves its numbers. ICC.1:2022 §7 to §10.
///
/// Tags that colours are computed from stay; description and copyright, which a profile must have, are written anew; date,
/// maker, model, creator and identifier in the header become zero.
public enum ICCProfileText {
    /// Bytes of a profile that is looked at.
    public static let byteCountLimit = 16 << 20
    private static let tagCountLimit = 100
    private static let headerByteCount = 128

    /// What colours are computed from.
    private static let kept: Set<String> = [
        "wtpt", "bkpt", "chad", "chrm", "rXYZ", "gXYZ", "bXYZ", "rTRC", "gTRC", "bTRC", "kTRC", "A2B0", "A2B1", "A2B2",
        "A2B3",
        "B2A0", "B2A1", "B2A2", "B2A3", "D2B0", "D2B1", "D2B2", "D2B3", "B2D0", "B2D1", "B2D2", "B2D3", "gamt", "lumi",
        "meas",
        "tech", "rig0", "rig2", "pre0", "pre1", "pre2", "cicp",
    ]

    /// The profile without texts; nil when it is none that can be read.
    public static func cleaned(_ profile: [UInt8]) -> [UInt8]? {
        guard profile.count >= headerByteCount + 4, profile.count <= byteCountLimit,
            profile[36..<40].elementsEqual("acsp".utf8)
        else { return nil }
        let size = number(profile, 0)
        let tagCount = number(profile, headerByteCount)
        guard size >= headerByteCount + 4 + 12 * tagCount, size <= profile.count, tagCount <= tagCountLimit else {
            return nil
        }
        var tags: [(name: [UInt8], data: [UInt8])] = []
        for index in 0..<tagCount {
            let entry = headerByteCount + 4 + 12 * index
            let name = Array(profile[entry..<entry + 4])
            let (start, count) = (number(profile, entry + 4), number(profile, entry + 8))
            guard start >= headerByteCount, count >= 8, start <= size, count <= size - start else { return nil }
            guard kept.contains(String(decoding: name, as: UTF8.self)) else { continue }
            guard let data = numbers(Array(profile[start..<start + count])) else { return nil }
            tags.append((name, data))
        }
        let isOld = profile[8] < 4
        tags.append((Array("desc".utf8), isOld ? oldDescription : text("Colour profile")))
        tags.append((Array("cprt".utf8), isOld ? oldText : text("None")))
        return written(header(profile), tags)
    }

    private static func number(_ bytes: [UInt8], _ start: Int) -> Int {
        bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
    }

    private static func big(_ number: Int) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
    }

    /// The header with what computes colours, and zeros.
    private static func header(_ profile: [UInt8]) -> [UInt8] {
        var header = Array(profile[..<headerByteCount])
        for range in [4..<8, 24..<36, 40..<44, 48..<56, 80..<128] {
            for index in range { header[index] = 0 }
        }
        // A date must be one: 1 January 2000.
        header[24] = 0x07
        header[25] = 0xD0
        header[27] = 1
        header[29] = 1
        return header
    }

    /// A tag's numbers without what may stand behind them; nil for a type that holds texts.
    private static func numbers(_ data: [UInt8]) -> [UInt8]? {
        var data = data
        data.replaceSubrange(4..<8, with: [0, 0, 0, 0])
        switch String(decoding: data[..<4], as: UTF8.self) {
        case "XYZ ": return data.count >= 20 ? Array(data[..<20]) : nil
        case "curv":
            guard data.count >= 12 else { return nil }
            let count = 12 + 2 * number(data, 8)
            return count <= data.count ? Array(data[..<count]) : nil
        case "para":
            guard data.count >= 12 else { return nil }
            let counts = [1, 3, 4, 5, 7]
            let kind = Int(data[8]) << 8 | Int(data[9])
            guard counts.indices.contains(kind), 12 + 4 * counts[kind] <= data.count else { return nil }
            return Array(data[..<(12 + 4 * counts[kind])])
        case "sf32": return data.count <= 8 + 4 * 64 ? data : nil
        case "sig ", "cicp": return data.count >= 12 ? Array(data[..<12]) : nil
        case "meas": return data.count >= 36 ? Array(data[..<36]) : nil
        case "chrm", "mft1", "mft2", "mAB ", "mBA ", "mpet": return data
        default: return nil
        }
    }

    /// Of version 4: one text in English.
    private static func text(_ text: String) -> [UInt8] {
        let units = text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
        return Array("mluc".utf8) + big(0) + big(1) + big(12) + Array("enUS".utf8) + big(units.count) + big(28) + units
    }

    private static let oldText = Array("text".utf8) + [0, 0, 0, 0] + Array("None\0".utf8)
    private static let oldDescription: [UInt8] = {
        let name = Array("Colour profile\0".utf8)
        return Array("desc".utf8) + [0, 0, 0, 0] + big(name.count) + name + [UInt8](repeating: 0, count: 78)
    }()

    private static func written(_ header: [UInt8], _ tags: [(name: [UInt8], data: [UInt8])]) -> [UInt8] {
        var table = big(tags.count)
        var body: [UInt8] = []
        var places: [[UInt8]: Int] = [:]
        let start = headerByteCount + 4 + 12 * tags.count
        for tag in tags {
            let place = places[tag.data] ?? start + body.count
            if places[tag.data] == nil {
                places[tag.data] = place
                body += tag.data
                while body.count % 4 != 0 { body.append(0) }
            }
            table += tag.name + big(place) + big(tag.data.count)
        }
        var result = header + table + body
        result.replaceSubrange(0..<4, with: big(result.count))
        return result
    }
}
