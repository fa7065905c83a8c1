import CQRencode

/// A QR code as markup, by libqrencode. ISO/IEC 18004.
enum QRCode {
    /// Modules of quiet around it.
    private static let quiet = 4
    static let textByteCountLimit = 512

    /// - Returns: nil for text that is too long.
    static func svg(_ text: String, label: String) -> HTML? {
        guard text.utf8.count <= textByteCountLimit,
            let code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1)
        else { return nil }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let modules = code.pointee.data else { return nil }
        var path = ""
        for row in 0..<width {
            var column = 0
            while column < width {
                let start = column
                // The lowest bit says whether a module is dark.
                while column < width, modules[row * width + column] & 1 == 1 { column += 1 }
                if column > start { path += "M\(start + quiet) \(row + quiet)h\(column - start)v1h-\(column - start)z" }
                column += 1
            }
        }
        let size = "\(width + 2 * quiet)"
        return """
            <svg class="qr" role="img" aria-label="\(label)" viewBox="0 0 \(size) \(size)" \
            shape-rendering="crispEdges"><rect width="\(size)" height="\(size)" fill="#fff"/>\
            <path d="\(path)" fill="#000"/></svg>
            """
    }
}
