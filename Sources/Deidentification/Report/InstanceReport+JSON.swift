extension InstanceReport {
    /// One line of JSON. RFC 8259; nothing in an entry needs escapes.
    ///
    /// - Parameters:
    ///   - source: the name of the original.
    ///   - output: the name of the new file.
    public func line(source: String, output: String) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(256 + entries.count * 120)
        text += "{\"source\":\"".utf8
        Self.append(source, to: &text)
        text += "\",\"output\":\"".utf8
        Self.append(output, to: &text)
        text += "\",\"cut\":\(isCut),\"changes\":[".utf8
        for (index, entry) in entries.enumerated() {
            if index > 0 { text.append(0x2C) }
            text += "{\"path\":\"".utf8
            text += entry.path.utf8
            text += "\",\"rule\":\"".utf8
            text += entry.rule.rawValue.utf8
            text += "\",\"action\":\"".utf8
            text += entry.action.utf8
            text += "\",\"byteCount\":".utf8
            text += String(entry.byteCount).utf8
            if entry.count != 1 { text += ",\"count\":\(entry.count)".utf8 }
            if let digest = entry.digest {
                text += ",\"digest\":\"".utf8
                text += digest.utf8
                text.append(0x22)
            }
            text.append(0x7D)
        }
        text += "]}\n".utf8
        return text
    }

    private static func append(_ string: String, to text: inout [UInt8]) {
        for byte in string.utf8 {
            switch byte {
            case 0x22, 0x5C: text += [0x5C, byte]
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                text += "\\u00\(digits.count < 2 ? "0" : "")\(digits)".utf8
            default: text.append(byte)
            }
        }
    }
}
