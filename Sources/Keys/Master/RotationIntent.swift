import Glibc

/// What a rotation is about to do, `rotation` beside the keys: read by the next start if this one ends before it is done.
///
/// Lines of text: generation, file of the old master key or nothing, file that takes its place or nothing.
struct RotationIntent: Equatable {
    static let name = "rotation"
    /// Longest file, in bytes.
    private static let byteCountLimit = 16 << 10

    /// The generation that it makes.
    var generation: UInt32
    /// The file of the old master key, which is destroyed.
    var retired: String?
    /// The file that then takes the old one's name.
    var successor: String?

    static func read(_ path: String) throws(KeyError) -> RotationIntent? {
        guard StudyKeyFile.exists(path) else { return nil }
        let bytes = try KeyError.wrapping { () throws(SystemFailure) in
            try OpenFile(path, flags: O_RDONLY).read(count: byteCountLimit, at: 0)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
        guard lines.count >= 3, let generation = UInt32(lines[0]) else { throw .damaged(file: path, byteOffset: 0) }
        return RotationIntent(
            generation: generation, retired: lines[1].isEmpty ? nil : lines[1],
            successor: lines[2].isEmpty ? nil : lines[2])
    }

    func write(_ path: String) throws(KeyError) {
        let text = "\(generation)\n\(retired ?? "")\n\(successor ?? "")\n"
        try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.replace(path, with: Array(text.utf8)) }
    }
}
