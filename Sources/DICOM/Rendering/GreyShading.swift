/// How stored values of a grey image become shades. PS3.3 §C.11.1 and §C.11.2.
public struct GreyShading: Hashable, Sendable {
    public enum Shades: Hashable, Sendable {
        /// From the frame's lowest value to its highest.
        case wholeRange
        case window(ValueWindow)
        case table(LookupTable)

        var window: ValueWindow? { if case .window(let window) = self { window } else { nil } }
    }

    public var slope = 1.0
    public var intercept = 0.0
    /// In place of slope and intercept.
    public var modality: LookupTable?
    public var shades = Shades.wholeRange
    /// Whether the highest value is black.
    public var isInverted = false
    /// Stored values that count for nothing in `wholeRange`.
    public var padding: ClosedRange<Int>?

    init() {}

    /// What a header says; `window` goes before it.
    ///
    /// - Throws: `.badTable`.
    init(_ reader: HeaderReader, _ native: PixelFormat, _ window: ValueWindow?) throws(RenderingError) {
        let modality = try reader.modalityTable(isSigned: native.isSigned)
        let (slope, intercept) = modality == nil ? reader.rescale : (1, 0)
        // Values behind the modality are negative when its zero is, or the stored ones are.
        let isSigned = modality == nil && (native.isSigned || intercept < 0)
        let table = window == nil ? try reader.shadeTable(isSigned: isSigned) : nil
        self.init()
        self.modality = modality
        self.slope = slope
        self.intercept = intercept
        if let window = window ?? (table == nil ? reader.window : nil) {
            shades = .window(window)
        } else if let table {
            shades = .table(table)
        }
        isInverted = native.photometricInterpretation == "MONOCHROME1" || reader.isPresentationInverse
        padding = reader.padding(isSigned: native.isSigned)
    }
}
