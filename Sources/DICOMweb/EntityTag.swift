import Archive
import Catalog

/// What tells two states of an answer apart. RFC 9110 §8.8.3.
enum EntityTag {
    /// Of instances: the same as long as they are the same ones under the same corrections. FNV-1a over their numbers,
    /// which are never used twice.
    ///
    /// - Parameter form: what else decides about the bytes: the transfer syntax, which frame.
    static func of(_ holdings: [Holding], corrections: [UInt64], form: String = "") -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for number in holdings.map(\.sequence) + corrections {
            for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: number >> UInt64(shift))) }
        }
        form.utf8.forEach(add)
        return "\"\(String(holdings.count, radix: 16))-\(String(hash, radix: 16))\""
    }
}

extension Archive {
    /// The tag of an answer made of these objects as they are shown now.
    func tag(_ holdings: [Holding], form: String = "") -> String {
        EntityTag.of(holdings, corrections: catalog.rules.standing.map(\.number), form: form)
    }
}
