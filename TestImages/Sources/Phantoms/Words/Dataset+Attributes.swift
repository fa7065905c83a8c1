import DICOM

extension Dataset {
    /// A dataset of attributes by their keywords.
    init(_ attributes: KeyValuePairs<String, AttributeValue>) {
        self.init()
        put(attributes)
    }

    /// Sets attributes by their keywords, with the value representations of the data dictionary.
    mutating func put(_ attributes: KeyValuePairs<String, AttributeValue>) {
        for (keyword, value) in attributes { put(keyword, value) }
    }

    /// Sets one attribute. A keyword that the dictionary lacks is a slip in this generator and stops it.
    mutating func put(_ keyword: String, _ value: AttributeValue) {
        guard let tag = Dictionary.tag(keyword: keyword), let vr = Dictionary.vr(of: tag) else {
            preconditionFailure("The data dictionary has no attribute \(keyword)")
        }
        switch value {
        case .items(let items): set(tag, .SQ, items: items)
        case .words(let bytes): set(tag, vr == .SS || vr == .US ? vr : .OW, bytes: bytes)
        case .bytes(let bytes): set(tag, vr == .OW ? .OB : vr, bytes: bytes)
        case .signed(let number): set(tag, .SS, ints: [number])
        case .list(let values) where values.isEmpty && vr == .SQ: set(tag, .SQ, items: [])
        default:
            switch vr {
            case .FD: set(tag, vr, bytes: value.doubles.flatMap { Self.littleEndian($0.bitPattern) })
            case .FL: set(tag, vr, bytes: value.doubles.flatMap { Self.littleEndian(Float($0).bitPattern) })
            case _ where vr.isString: set(tag, vr, strings: value.texts)
            case .AT: set(tag, vr, ints: value.texts.compactMap { Self.tagNumber($0) })
            default: set(tag, vr, ints: value.doubles.map { Int($0) })
            }
        }
    }

    /// An AT value is written by its keyword.
    private static func tagNumber(_ keyword: String) -> Int? {
        Dictionary.tag(keyword: keyword).map { Int($0.rawValue) }
    }

    private static func littleEndian(_ bits: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: bits.littleEndian) { Array($0) }
    }
}
