import CCodecs

/// A grey picture in which words are looked for: by a worker that was started to read text.
public struct TextSearch: Hashable, Sendable {
    /// Rows and columns go up to this.
    public static let sideLimit = Int(HZ_TEXT_SIDE_LIMIT)
    /// Words of one picture.
    public static let wordLimit = Int(HZ_TEXT_BOX_LIMIT)
    /// Pixels around a word that are blanked with it, which the search counts on.
    public static let margin = Int(HZ_TEXT_MARGIN)
    /// The same at its sides, of half its height at most.
    public static let sideMarginLimit = Int(HZ_TEXT_SIDE_MARGIN_LIMIT)

    public let rows: Int
    public let columns: Int

    /// Where a word stands; `right` and `bottom` lie behind its last pixels.
    public struct Word: Hashable, Sendable {
        public var left: Int
        public var top: Int
        public var right: Int
        public var bottom: Int
    }

    /// - Throws: `.badFormat` beyond `sideLimit`.
    public init(rows: Int, columns: Int) throws(CodecError) {
        guard (1...Self.sideLimit).contains(rows) else { throw .badFormat(attribute: "rows") }
        guard (1...Self.sideLimit).contains(columns) else { throw .badFormat(attribute: "columns") }
        self.rows = rows
        self.columns = columns
    }

    var byteCount: Int { rows * columns }
    static let wordByteCount = 16

    var described: HZTextSearch { HZTextSearch(rows: UInt32(rows), columns: UInt32(columns)) }

    /// What a worker wrote; its word is not trusted.
    func words(_ bytes: [UInt8]) -> [Word] {
        stride(from: 0, to: bytes.count - bytes.count % Self.wordByteCount, by: Self.wordByteCount).compactMap {
            start in
            let numbers = (0..<4).map { place in
                (0..<4).reduce(0) { $0 | Int(bytes[start + 4 * place + $1]) << (8 * $1) }
            }
            let word = Word(
                left: min(numbers[0], columns), top: min(numbers[1], rows), right: min(numbers[2], columns),
                bottom: min(numbers[3], rows))
            return word.left < word.right && word.top < word.bottom ? word : nil
        }
    }
}

extension CodecPoolOptions {
    /// Workers that read text: tesseract with models for simplified Chinese and English.
    public static var readingText: CodecPoolOptions {
        var options = CodecPoolOptions()
        options.arguments = ["codec-worker", "--text"]
        // Words are found in seconds, not milliseconds; of grain alone that is taken for letters it may be minutes.
        options.frameTimeout = .seconds(480)
        return options
    }
}

extension CodecPool {
    /// Looks for words in a picture and waits for it.
    ///
    /// - Parameter grey: a byte for each pixel, row by row, 0 black.
    /// - Throws: `.workerFailed` where tesseract is not installed, or crashed; `.unsupported` for more words than
    ///   `TextSearch.wordLimit` and for a pool whose workers do not read text; `.malformed` for another number of bytes.
    public func words(in grey: [UInt8], _ search: TextSearch) throws(CodecError) -> [TextSearch.Word] {
        guard grey.count == search.byteCount else { throw .malformed(coding: "picture") }
        return search.words(try start(PendingFrame(grey, .findText(search))).wait())
    }
}
