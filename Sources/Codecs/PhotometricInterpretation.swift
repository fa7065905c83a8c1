/// What the samples of a pixel mean (0028,0004). PS3.3 §C.7.6.3.1.2.
public enum PhotometricInterpretation: String, Hashable, Sendable, CaseIterable {
    case monochrome1 = "MONOCHROME1"
    case monochrome2 = "MONOCHROME2"
    case paletteColor = "PALETTE COLOR"
    case rgb = "RGB"
    case ybrFull = "YBR_FULL"
    case ybrFull422 = "YBR_FULL_422"
    case ybrPartial422 = "YBR_PARTIAL_422"
    case ybrPartial420 = "YBR_PARTIAL_420"
    case ybrICT = "YBR_ICT"
    case ybrRCT = "YBR_RCT"
    /// Retired ones, and values nobody defined; their samples are never converted.
    case other = ""

    /// The value of the attribute, padding allowed; without one as many samples as there are decide.
    public init(value: String?, samplesPerPixel: Int) {
        let trimmed = value.map { String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()) } ?? ""
        guard trimmed.isEmpty else {
            self = Self(rawValue: trimmed) ?? .other
            return
        }
        self = samplesPerPixel == 1 ? .monochrome2 : samplesPerPixel == 3 ? .rgb : .other
    }

    /// Whether brightness and colour are apart, in whichever way.
    public var isYBR: Bool {
        switch self {
        case .ybrFull, .ybrFull422, .ybrPartial422, .ybrPartial420, .ybrICT, .ybrRCT: true
        case .monochrome1, .monochrome2, .paletteColor, .rgb, .other: false
        }
    }
}
