import COpenSSL

/// What tells a file from a copy of it: its number on the disk and when it was born.
package struct FileIdentity: Equatable, Sendable {
    private let number: UInt64
    private let birth: (seconds: Int64, nanoseconds: UInt32)

    /// Nil if there is no such file.
    package init?(_ path: String) {
        var values: (UInt, Int, UInt32) = (0, 0, 0)
        guard huizhen_file_identity(path, &values.0, &values.1, &values.2) == 0 else { return nil }
        number = UInt64(values.0)
        birth = (Int64(values.1), values.2)
    }

    /// Reads what `text` is.
    package init?(text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 3, let number = UInt64(parts[0]), let seconds = Int64(parts[1]),
            let nanoseconds = UInt32(parts[2])
        else { return nil }
        self.number = number
        birth = (seconds, nanoseconds)
    }

    package var text: String { "\(number) \(birth.seconds) \(birth.nanoseconds)" }

    package static func == (one: FileIdentity, other: FileIdentity) -> Bool { one.text == other.text }
}
