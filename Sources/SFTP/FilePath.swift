/// One name of a path: 1 to 255 bytes, whatever they mean, without a slash and a zero.
struct FileName: Hashable, Sendable {
    static let byteCountLimit = 255

    let bytes: [UInt8]

    init?(_ bytes: some Collection<UInt8>) {
        guard (1...Self.byteCountLimit).contains(bytes.count), !bytes.contains(0), !bytes.contains(UInt8(ascii: "/"))
        else { return nil }
        self.bytes = Array(bytes)
    }

    /// Nil for what is no UTF-8.
    var text: String? { String(validating: bytes, as: UTF8.self) }
}

/// Where a file is, from the root on.
struct FilePath: Hashable, Sendable {
    static let byteCountLimit = 4096
    static let depthLimit = 16

    var names: [FileName]

    init(names: [FileName]) { self.names = names }

    /// Reads a path as a client writes it; one without a slash at its front begins at the root, too.
    ///
    /// - Returns: nil for one that is too long or deep, or has a name that is none.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count <= Self.byteCountLimit else { return nil }
        names = []
        for part in bytes.split(separator: UInt8(ascii: "/")) {
            if part.elementsEqual(".".utf8) { continue }
            if part.elementsEqual("..".utf8) {
                _ = names.popLast()
                continue
            }
            guard names.count < Self.depthLimit, let name = FileName(part) else { return nil }
            names.append(name)
        }
    }

    var parent: FilePath { FilePath(names: names.dropLast()) }

    var bytes: [UInt8] { names.isEmpty ? [UInt8(ascii: "/")] : names.flatMap { [UInt8(ascii: "/")] + $0.bytes } }
}
