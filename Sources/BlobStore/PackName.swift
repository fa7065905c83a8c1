/// The names of the store's files: a number in hexadecimal, nothing else.
enum PackName {
    static func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }

    static func pack(_ number: UInt32) -> String { "pack-\(hexadecimal(number)).hzp" }
    /// Marks a pack that is never written again after a failed sync.
    static func seal(_ number: UInt32) -> String { "pack-\(hexadecimal(number)).sealed" }
    static func journal(_ number: UInt32) -> String { "journal-\(hexadecimal(number)).hzj" }

    /// The number in a file name made by one of the above, or nil.
    static func number(in name: String, prefix: String, suffix: String) -> UInt32? {
        guard name.hasPrefix(prefix), name.hasSuffix(suffix), name.count == prefix.count + suffix.count + 8 else {
            return nil
        }
        return UInt32(name.dropFirst(prefix.count).prefix(8), radix: 16)
    }
}
