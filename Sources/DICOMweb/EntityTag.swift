import Catalog

/// What tells two states of an answer apart. RFC 9110 §8.8.3.
enum EntityTag {
    /// Of instances: the same as long as they are the same ones under the same corrections. FNV-1a over their numbers,
    /// which are never used twice.
    static func of(_ holdings: [Holding], corrections: [UInt64]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for number in holdings.map(\.sequence) + corrections {
            for shift in stride(from: 0, to: 64, by: 8) {
                hash = (hash ^ (number >> UInt64(shift)) & 0xFF) &* 0x100_0000_01B3
            }
        }
        return "\"\(String(holdings.count, radix: 16))-\(String(hash, radix: 16))\""
    }

    /// Of a form in which they are given, likewise.
    static func of(_ holdings: [Holding], corrections: [UInt64], form: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in form.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return of(holdings, corrections: corrections).dropLast() + "-\(String(hash, radix: 16))\""
    }

    /// Whether the field If-None-Match names the tag.
    static func list(_ field: String?, has tag: String) -> Bool {
        guard let field else { return false }
        return field.split(separator: ",").contains { part in
            let text = part.drop { $0 == " " }
            return text == "*" || text == tag || text == "W/" + tag
        }
    }
}
