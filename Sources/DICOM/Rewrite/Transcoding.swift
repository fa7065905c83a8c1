/// Decides what it takes to write an object in another transfer syntax. Pure: touches no pixel and takes no memory.
public enum Transcoding {
    /// The plan for one object.
    ///
    /// PS3.5 §8.2, PS3.3 §C.7.6.3. Nothing is lossy unless the target's syntax can be nothing else: JPEG 2000
    /// and HTJ2K are written reversibly in every syntax. Palettes, ICC profiles and smallest and largest pixel values
    /// stay as they are.
    ///
    /// - Parameters:
    ///   - header: as `DatasetScanner` gives it, pixel data not held.
    ///   - layout: where its pixel data lies; nil when it has none.
    /// - Throws: the case that says why this object cannot truthfully be had in the target's syntax.
    public static func plan(
        header: Dataset, from: TransferSyntax, to: TransferSyntax, layout: PixelDataLayout?,
        limits: TranscodingLimits = TranscodingLimits()
    ) throws(TranscodingError) -> TranscodingPlan {
        if from == to { return TranscodingPlan(work: .none) }
        if !to.isExplicitVR, let tag = valueOfSequence(header) { throw .valueOfSequence(tag) }
        guard let decodable = FrameCoding(decoding: from) else { throw .sourceNotDecodable }
        if contains(from, in: to) { return TranscodingPlan(work: .reencode) }
        guard let targetCoding = FrameCoding(encoding: to) else { throw .targetNotEncodable }
        guard let layout else { return try reencoding(header) }
        if layout.isEncapsulated, !from.isEncapsulated { throw .contradictoryPixelData }
        if !layout.isEncapsulated, !to.isEncapsulated { return try reencoding(header) }
        if layout.vr == .OF || layout.vr == .OD { throw .floatingPoint }
        let work = try frameWork(
            header, layout, from: from, to: to, sourceCoding: layout.isEncapsulated ? decodable : .native,
            targetCoding: targetCoding, limits: limits)
        return try plan(work, header: header, layout: layout)
    }

    /// Whether every object of one syntax is one of the other too.
    private static func contains(_ from: TransferSyntax, in to: TransferSyntax) -> Bool {
        switch (from, to) {
        case (.jpegLosslessSV1, .jpegLossless), (.jpeg2000Lossless, .jpeg2000), (.htj2kLossless, .htj2k),
            (.htj2kLosslessRPCL, .htj2k), (.htj2kLosslessRPCL, .htj2kLossless):
            true
        default: false
        }
    }

    private static func reencoding(_ header: Dataset) throws(TranscodingError) -> TranscodingPlan {
        var plan = TranscodingPlan(work: .reencode)
        plan.removing = try nestedPixelData(header)
        return plan
    }

    // MARK: Frames

    private static func frameWork(
        _ header: Dataset, _ layout: PixelDataLayout, from: TransferSyntax, to: TransferSyntax,
        sourceCoding: FrameCoding, targetCoding: FrameCoding, limits: TranscodingLimits
    ) throws(TranscodingError) -> FrameWork {
        var source = try PixelFormat(header: header)
        if !layout.isEncapsulated, layout.frameBitCount != source.frameBitCount {
            // Some writers say that CB and CR are halved and do not halve them.
            if source.isSubsampled { source.photometricInterpretation = Photometric.ybrFull }
            guard layout.frameBitCount == source.frameBitCount else { throw .contradictoryPixelData }
        }
        guard layout.frames == layout.declaredFrameCount else {
            throw .framesMissing(declared: layout.declaredFrameCount, found: layout.frames)
        }
        let native = try decoded(source, sourceCoding)
        let target = try encoded(native, targetCoding)
        for format in [source, native, target] where format.frameByteCount > limits.frameByteCount {
            throw .frameTooLarge(limit: limits.frameByteCount)
        }
        let swapped = layout.isEncapsulated || !from.isBigEndian ? 1 : layout.vr.unitByteCount
        let unit = UInt64(8 * swapped)
        if layout.frames > 1, source.frameBitCount % unit != 0 || target.frameBitCount % 8 != 0 {
            throw .framesNotByteAligned
        }
        if !targetCoding.keepsAllBits {
            if hasEmbeddedOverlay(header) { throw .embeddedOverlay }
            if native.highBit != native.bitsStored - 1 { throw .badAttribute(.highBit) }
        }
        let work = FrameWork(
            sourceCoding: sourceCoding, source: source, native: native, targetCoding: targetCoding, target: target,
            frameCount: layout.frames, vr: !to.isExplicitVR || target.bitsAllocated > 8 ? .OW : .OB,
            swappedByteCount: swapped)
        if !to.isEncapsulated, work.nativeByteCount > UInt64(UInt32.max) - 2 { throw .tooLongForNative }
        return work
    }

    /// Overlays in bits of Pixel Data: a bit position, and no Overlay Data of their own.
    private static func hasEmbeddedOverlay(_ header: Dataset) -> Bool {
        header.elements.contains { element in
            let isPosition = element.tag.group & 0xFFE1 == 0x6000 && element.tag.element == 0x0102
            guard isPosition, let position = header.int(element.tag) else { return false }
            return position > 0 && !header.contains(Tag(element.tag.group, 0x3000))
        }
    }

    // MARK: Attributes

    private static func plan(
        _ work: FrameWork, header: Dataset, layout: PixelDataLayout
    ) throws(TranscodingError) -> TranscodingPlan {
        var plan = TranscodingPlan(work: .frames(work))
        plan.removing = try nestedPixelData(header)
        plan.removing.formUnion([.extendedOffsetTable, .extendedOffsetTableLengths])
        plan.changed = changes(work, header)
        plan.lossyRatios = header.strings(.lossyImageCompressionRatio)
        plan.lossyMethods = header.strings(.lossyImageCompressionMethod)
        if !work.isCopy, work.sourceCoding == .jpegBaseline || work.sourceCoding == .jpegExtended {
            noteEarlierLoss(work, header, layout, &plan)
        }
        if work.targetCoding.isLossy, !work.isCopy {
            plan.isLossy = true
            plan.lossyMethod = work.targetCoding.lossyMethod
        }
        return plan
    }

    private static func changes(_ work: FrameWork, _ header: Dataset) -> Dataset {
        var result = Dataset()
        let target = work.target
        if header.string(.photometricInterpretation) != target.photometricInterpretation {
            result.set(.photometricInterpretation, .CS, string: target.photometricInterpretation)
        }
        if target.samplesPerPixel > 1, header.int(.planarConfiguration) != target.planarConfiguration {
            result.set(.planarConfiguration, .US, ints: [target.planarConfiguration])
        }
        if work.source.bitsStored != target.bitsStored { result.set(.bitsStored, .US, ints: [target.bitsStored]) }
        if work.source.highBit != target.highBit { result.set(.highBit, .US, ints: [target.highBit]) }
        return result
    }

    /// What JPEG lost stays lost, and the decoded object must say so even if the compressed one did not.
    /// PS3.3 §C.7.6.1.1.5: once 01, always 01.
    private static func noteEarlierLoss(
        _ work: FrameWork, _ header: Dataset, _ layout: PixelDataLayout, _ plan: inout TranscodingPlan
    ) {
        if header.string(.lossyImageCompression) != "01" {
            plan.changed.set(.lossyImageCompression, .CS, string: "01")
        }
        guard plan.lossyRatios.isEmpty, plan.lossyMethods.isEmpty, let method = work.sourceCoding.lossyMethod else {
            return
        }
        let byteCount = (0..<layout.fragmentCount).reduce(into: UInt64(0)) { sum, index in
            sum += layout.fragmentRange(index)?.length ?? 0
        }
        let whole = Double(work.native.frameByteCount) * Double(work.frameCount)
        plan.lossyMethods = [method]
        plan.changed.set(.lossyImageCompressionMethod, .CS, string: method)
        if let text = TranscodingPlan.ratioText(whole / Double(max(1, byteCount))) {
            plan.lossyRatios = [text]
            plan.changed.set(.lossyImageCompressionRatio, .DS, string: text)
        }
    }

    /// Sequences to leave out because they hold compressed pixel data, which would be in the wrong syntax.
    ///
    /// An icon may be left out (PS3.3 §C.7.6.1); anything else may not.
    private static func nestedPixelData(_ header: Dataset) throws(TranscodingError) -> Set<Tag> {
        var result: Set<Tag> = []
        for element in header.elements where element.tag != .pixelData && holdsFragments(element) {
            guard element.tag == .iconImageSequence else { throw .nestedPixelData(element.tag) }
            result.insert(element.tag)
        }
        return result
    }

    /// An attribute that is a sequence by its tag and a value by its written VR.
    private static func valueOfSequence(_ header: Dataset) -> Tag? {
        for element in header.elements {
            switch element.value {
            case .items(let items): if let tag = items.lazy.compactMap(valueOfSequence).first { return tag }
            case .bytes(let bytes): if !bytes.isEmpty, isSequence(element) { return element.tag }
            case .bulk, .fragments: if isSequence(element) { return element.tag }
            }
        }
        return nil
    }

    private static func isSequence(_ element: Element) -> Bool { Dictionary.vr(of: element.tag) == .SQ }

    private static func holdsFragments(_ element: Element) -> Bool {
        switch element.value {
        case .items(let items): items.contains { $0.elements.contains { holdsFragments($0) } }
        case .fragments: true
        case .bytes, .bulk: false
        }
    }
}
