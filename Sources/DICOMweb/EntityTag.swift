import Archive
import Catalog
import DICOM

/// What tells two states of an answer apart. RFC 9110 §8.8.3.
enum EntityTag {
    /// Of instances: the same as long as they are the same ones under the same corrections. FNV-1a over their numbers,
    /// which are never used twice.
    ///
    /// - Parameter form: what else decides about the bytes: the transfer syntax, which frame.
    static func of(_ holdings: [Holding], corrections: [UInt64], form: String = "") -> String {
        var hash = FNV1a()
        for number in holdings.map(\.sequence) + corrections {
            withUnsafeBytes(of: number.littleEndian) { hash.add($0) }
        }
        hash.add(form.utf8)
        return "\"\(String(holdings.count, radix: 16))-\(String(hash.value, radix: 16))\""
    }
}

extension Archive {
    /// The tag of an answer made of these objects as they are shown now.
    func tag(_ holdings: [Holding], form: String = "") -> String {
        EntityTag.of(holdings, corrections: catalog.rules.standing.map(\.number), form: form)
    }
}
