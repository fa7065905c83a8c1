/// Reads what a header, and the functional groups of one frame, say of how the frame is shown. PS3.3 §C.7.6.16.
struct HeaderReader {
    /// Bytes of a table or profile that is not held with the header.
    static let bulkByteCountLimit: UInt64 = 4 << 20
    /// A pixel is at most so many times as long as wide, and the other way round.
    static let aspectLimit = 100.0

    let header: Dataset
    private let groups: [Dataset]
    private let isBigEndian: Bool
    private let bulk: (UInt64, UInt64) -> [UInt8]?

    init(
        header: Dataset, syntax: TransferSyntax, frameIndex: Int, bulk: @escaping (UInt64, UInt64) -> [UInt8]?
    ) {
        self.header = header
        self.bulk = bulk
        isBigEndian = syntax.isBigEndian
        let frames = header.items(.perFrameFunctionalGroupsSequence)
        var groups: [Dataset] = []
        if frames.indices.contains(frameIndex) { groups.append(frames[frameIndex]) }
        groups += header.items(.sharedFunctionalGroupsSequence).prefix(1)
        self.groups = groups
    }

    /// The item of a functional group, the frame's own before the shared one; else the header itself.
    func group(_ sequence: Tag) -> Dataset {
        for group in groups { if let item = group.items(sequence).first { return item } }
        return header
    }

    // MARK: Values

    var rescale: (slope: Double, intercept: Double) {
        let item = group(.pixelValueTransformationSequence)
        let slope = item.double(.rescaleSlope) ?? 1
        let intercept = item.double(.rescaleIntercept) ?? 0
        return (slope.isFinite && slope != 0 ? slope : 1, intercept.isFinite ? intercept : 0)
    }

    /// PS3.3 §C.11.1.
    func modalityTable(isSigned: Bool) throws(RenderingError) -> LookupTable? {
        guard let item = header.items(.modalityLUTSequence).first else { return nil }
        return try table(item, isSigned: isSigned)
    }

    /// The first of the tables of values of interest. PS3.3 §C.11.2.
    func shadeTable(isSigned: Bool) throws(RenderingError) -> LookupTable? {
        let item = group(.frameVOILUTSequence)
        guard let table = (item.items(.voilutSequence).first ?? header.items(.voilutSequence).first) else { return nil }
        return try self.table(table, isSigned: isSigned)
    }

    private func table(_ item: Dataset, isSigned: Bool) throws(RenderingError) -> LookupTable {
        try LookupTable(
            descriptor: .lutDescriptor, data: .lutData, of: item, isSigned: isSigned, bytes: bytes(item[.lutData]))
    }

    /// The first of the windows; nil without one that makes sense.
    var window: ValueWindow? {
        let item = group(.frameVOILUTSequence)
        guard let center = item.double(.windowCenter), let width = item.double(.windowWidth) else { return nil }
        switch item.string(.voiLUTFunction) {
        case "SIGMOID": return ValueWindow(center: center, width: width, shape: .sigmoid)
        case "LINEAR_EXACT": return ValueWindow(center: center, width: width, shape: .linearExact)
        // Below 1 a linear window has no width at all; who writes that means the exact one.
        default: return ValueWindow(center: center, width: width, shape: width < 1 ? .linearExact : .linear)
        }
    }

    /// PS3.3 §C.11.6.1.2.
    var isPresentationInverse: Bool { header.string(.presentationLUTShape) == "INVERSE" }

    /// PS3.3 §C.7.5.1.1.2.
    func padding(isSigned: Bool) -> ClosedRange<Int>? {
        // Often written under the other VR.
        func number(_ tag: Tag) -> Int? {
            header.int(tag).map { isSigned ? Int(Int16(truncatingIfNeeded: $0)) : $0 & 0xFFFF }
        }
        guard let value = number(.pixelPaddingValue) else { return nil }
        let other = number(.pixelPaddingRangeLimit) ?? value
        return min(value, other)...max(value, other)
    }

    // MARK: Colors

    /// PS3.3 §C.7.9.
    func palette(isSigned: Bool) throws(RenderingError) -> [LookupTable] {
        var result: [LookupTable] = []
        for (descriptor, data) in [
            (Tag.redPaletteColorLookupTableDescriptor, Tag.redPaletteColorLookupTableData),
            (.greenPaletteColorLookupTableDescriptor, .greenPaletteColorLookupTableData),
            (.bluePaletteColorLookupTableDescriptor, .bluePaletteColorLookupTableData),
        ] {
            result.append(
                try LookupTable(
                    descriptor: descriptor, data: data, of: header, isSigned: isSigned, bytes: bytes(header[data])))
        }
        // Many writers say 16 bits and write bytes.
        if !result.contains(where: { $0.entries.contains { $0 > 255 } }) {
            for index in result.indices { result[index].bits = min(result[index].bits, 8) }
        }
        return result
    }

    /// The image's own, or that of its optical path. PS3.3 §C.11.15.
    var profile: [UInt8]? {
        let found =
            header[.iccProfile] ?? header.items(.opticalPathSequence).lazy.compactMap { $0[.iccProfile] }.first
        return bytes(found).flatMap { $0.isEmpty ? nil : $0 }
    }

    // MARK: Geometry

    /// A pixel's height for each width. PS3.3 §C.7.6.3.1.7 and §10.7.1.3.
    var pixelAspect: Double {
        let ratios = [
            header.doubles(.pixelAspectRatio), group(.pixelMeasuresSequence).doubles(.pixelSpacing),
            header.doubles(.imagerPixelSpacing),
        ]
        for pair in ratios where pair.count >= 2 && pair[0] > 0 && pair[1] > 0 {
            let ratio = pair[0] / pair[1]
            if (1 / Self.aspectLimit...Self.aspectLimit).contains(ratio) { return ratio }
        }
        return 1
    }

    func bytes(_ element: Element?) -> [UInt8]? {
        switch element?.value {
        case .bytes(let bytes): return bytes
        case .bulk(let offset, let length) where length <= Self.bulkByteCountLimit:
            guard var bytes = bulk(offset, length), let vr = element?.vr else { return nil }
            if isBigEndian { ByteOrder.swap(&bytes, unit: vr.unitByteCount) }
            return bytes
        default: return nil
        }
    }
}

extension Tag {
    static let imagerPixelSpacing = Tag(0x0018_1164)
    static let pixelPaddingRangeLimit = Tag(0x0028_0121)
    static let voiLUTFunction = Tag(0x0028_1056)
    static let lutDescriptor = Tag(0x0028_3002)
    static let lutData = Tag(0x0028_3006)
    static let frameVOILUTSequence = Tag(0x0028_9132)
    static let pixelValueTransformationSequence = Tag(0x0028_9145)
    static let presentationLUTShape = Tag(0x2050_0020)
}
