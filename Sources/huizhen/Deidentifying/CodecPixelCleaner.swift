import Codecs
import DICOM
import Deidentification

/// Blanks text in pictures: rectangles of the site's rules, what lies around an ultrasound's regions, and words that
/// tesseract finds; decoding, coding and reading in worker processes without keys, files or network.
///
/// Native frames stay native. Of frames that were coded without loss those in which nothing is blanked stay as they are
/// and others are coded anew in the same way where that way is written here; all else becomes JPEG-LS, or RLE, without
/// loss. Any thread.
final class CodecPixelCleaner: PixelCleaner {
    private let rules: PixelRules
    fileprivate let codecs: CodecPool
    fileprivate let readers: CodecPool

    /// - Parameters:
    ///   - codecs, readers: for tests; workers of the running program otherwise.
    init(
        rules: PixelRules, codecs: CodecPoolOptions = CodecPoolOptions(), readers: CodecPoolOptions = .readingText
    ) {
        self.rules = rules
        self.codecs = CodecPool(codecs)
        self.readers = CodecPool(readers)
    }

    private init(_ rules: PixelRules, workersOf other: CodecPixelCleaner) {
        self.rules = rules
        codecs = other.codecs
        readers = other.readers
    }

    /// A cleaner by other rules with the same workers, which end with those of this one.
    func following(_ rules: PixelRules) -> CodecPixelCleaner { CodecPixelCleaner(rules, workersOf: self) }

    func hasRule(for header: Dataset) -> Bool { rules.hasRegion(for: header) }

    func mayRecode(_ transferSyntax: TransferSyntax) -> Bool {
        transferSyntax.isEncapsulated && !CleanedFrames.keptSyntaxes.contains(transferSyntax)
    }

    /// Ends its workers; objects under way are held back.
    func close() {
        codecs.close()
        readers.close()
    }

    func begin(
        header: Dataset, transferSyntax: TransferSyntax, demand: PixelCleaningDemand
    ) throws(Quarantine) -> any PixelCleaning {
        let outcome = rules.outcome(for: header)
        // Nothing here finds a face: a rule knows where it is, or nobody does.
        if demand.features, !outcome.cleansFeatures { throw .featuresNotCleaned }
        let frames = try CleanedFrames(header, transferSyntax)
        return Cleaning(
            self, frames, outcome, demand, kept: demand.text ? PixelRegion.ofUltrasound(header) : nil,
            frameCleaner: Self.frameCleaner(transferSyntax, header))
    }

    private static func frameCleaner(_ syntax: TransferSyntax, _ header: Dataset) -> FrameCleaner? {
        guard syntax.isEncapsulated else { return nil }
        do throws(StreamError) { return try FrameCleaner(syntax, header: header) } catch { return nil }
    }

    /// One instance's frames, one after the other.
    private final class Cleaning: PixelCleaning {
        let transferSyntax: TransferSyntax
        let changes: Dataset
        let done: PixelCleaningDemand

        private let cleaner: CodecPixelCleaner
        private let frames: CleanedFrames
        private let regions: [PixelRegion]
        private let kept: [PixelRegion]?
        private let readsText: Bool
        private let frameCleaner: FrameCleaner?
        private(set) var count = PixelCleaningCount()

        init(
            _ cleaner: CodecPixelCleaner, _ frames: CleanedFrames, _ outcome: PixelRules.Outcome,
            _ demand: PixelCleaningDemand, kept: [PixelRegion]?, frameCleaner: FrameCleaner?
        ) {
            self.cleaner = cleaner
            self.frames = frames
            self.kept = kept
            self.frameCleaner = frameCleaner
            regions = outcome.regions
            transferSyntax = frames.target
            changes = frames.changes
            // Where a rule says that no text is left, none is looked for. What is looked for and fails, throws.
            readsText = demand.text && !outcome.cleansText
            done = demand
        }

        func clean(frame: [UInt8], frameIndex: Int) throws(Quarantine) -> [UInt8] {
            var native = try converting { () throws(CodecError) in
                guard let decoding = frames.decoding else { return frame }
                return try cleaner.codecs.convert(frame, decoding)
            }
            guard native.count >= frames.native.byteCount else { throw .pixelDataSize }
            let source = native
            blank(&native)
            if readsText { try blankWords(&native) }
            guard let encoding = frames.encoding else { return native }
            if native == source, frames.target == frames.source, let frameCleaner {
                var whole = frame
                do throws(StreamError) { count.leftOutByteCount += try frameCleaner.clean(&whole) } catch {
                    throw .stream(error)
                }
                return whole
            }
            count.recodedFrames += 1
            count.recodedByteCount += frame.count
            return try converting { () throws(CodecError) in try cleaner.codecs.convert(native, encoding) }
        }

        /// Rectangles of the site's rules, and what lies around an ultrasound's regions.
        private func blank(_ native: inout [UInt8]) {
            let source = native
            frames.native.blank(regions, in: &native)
            count.rectangles += frames.native.count(regions)
            if let kept {
                let before = native
                frames.native.keepOnly(kept, in: &native)
                if native != before { count.rectangles += 1 }
            }
            count.rectangleByteCount += Self.differenceCount(source, native)
        }

        private func blankWords(_ native: inout [UInt8]) throws(Quarantine) {
            let found = try words(native)
            if found.isEmpty { return }
            let source = native
            frames.native.blank(found, in: &native)
            count.words += found.count
            count.wordByteCount += Self.differenceCount(source, native)
        }

        /// Bytes that are not the same.
        private static func differenceCount(_ one: [UInt8], _ two: [UInt8]) -> Int {
            if one == two { return 0 }
            return one.withUnsafeBufferPointer { one in
                two.withUnsafeBufferPointer { two in
                    (0..<min(one.count, two.count)).count { one[$0] != two[$0] }
                }
            }
        }

        private func words(_ frame: [UInt8]) throws(Quarantine) -> [PixelRegion] {
            let found = try converting { () throws(CodecError) in
                try cleaner.readers.words(
                    in: frames.native.grey(frame),
                    TextSearch(rows: frames.native.rows, columns: frames.native.columns))
            }
            let margin = TextSearch.margin
            return found.map { word in
                let side = max(margin, min((word.bottom - word.top) / 2, TextSearch.sideMarginLimit))
                let (left, top) = (max(0, word.left - side), max(0, word.top - margin))
                return PixelRegion(
                    left: left, top: top, width: word.right + side - left, height: word.bottom + margin - top)
            }
        }

        private func converting<Result>(_ body: () throws(CodecError) -> Result) throws(Quarantine) -> Result {
            do throws(CodecError) { return try body() } catch {
                throw .pixelCleaner(reason: "the pixels cannot be cleaned: \(error)")
            }
        }
    }
}

/// How an instance's frames are decoded, what they are then, and how they are coded again.
struct CleanedFrames {
    let source: TransferSyntax
    let target: TransferSyntax
    let native: NativeFrame
    /// Nil for native frames.
    let decoding: FrameConversion?
    let encoding: FrameConversion?
    /// What the header must say of the result.
    private(set) var changes = Dataset()

    init(_ header: Dataset, _ syntax: TransferSyntax) throws(Quarantine) {
        source = syntax
        var between = header
        if syntax.isEncapsulated {
            let color = try Self.decodedColor(header, syntax)
            between.set(.photometricInterpretation, .CS, string: color)
            if (header.int(.samplesPerPixel) ?? 1) > 1 { between.set(.planarConfiguration, .US, ints: [0]) }
        }
        guard let native = NativeFrame(between) else {
            throw .pixelCleaner(reason: "pixels of this depth or colour cannot be cleaned: convert the object first")
        }
        self.native = native
        guard syntax.isEncapsulated else {
            target = .explicitVRLittleEndian
            decoding = nil
            encoding = nil
            return
        }
        do throws(CodecError) {
            let sourceFormat = try FrameFormat(header: header)
            let nativeFormat = try FrameFormat(header: between)
            let target = Self.target(syntax, nativeFormat)
            self.target = target
            // A transform that loses nothing is done again, for frames that are not touched have it as well.
            let isTransformed = target == syntax && sourceFormat.photometricInterpretation == .ybrRCT
            if isTransformed { between = header }
            decoding = try FrameConversion(from: syntax, sourceFormat, to: .explicitVRLittleEndian, nativeFormat)
            encoding = try FrameConversion(
                from: .explicitVRLittleEndian, nativeFormat, to: target, isTransformed ? sourceFormat : nativeFormat)
        } catch { throw .pixelCleaner(reason: "the pixels cannot be cleaned: \(error)") }
        if header.string(.photometricInterpretation) != between.string(.photometricInterpretation) {
            changes.set(
                .photometricInterpretation, .CS, string: between.string(.photometricInterpretation) ?? "MONOCHROME2")
        }
        if (header.int(.samplesPerPixel) ?? 1) > 1 {
            // Of run lengths each plane has its own. PS3.5 §G.2.
            changes.set(.planarConfiguration, .US, ints: [target == .rleLossless ? 1 : 0])
        }
        // What was lost stays lost. PS3.3 §C.7.6.1.1.5.
        if syntax.isLossy, header.string(.lossyImageCompression) != "01", Self.isJPEG(syntax) {
            changes.set(.lossyImageCompression, .CS, string: "01")
        }
    }

    private static func isJPEG(_ syntax: TransferSyntax) -> Bool {
        syntax == .jpegBaseline || syntax == .jpegExtended
    }

    /// The colours of a decoded frame, by pixel.
    private static func decodedColor(_ header: Dataset, _ syntax: TransferSyntax) throws(Quarantine) -> String {
        let color = header.string(.photometricInterpretation) ?? ""
        switch color {
        case "YBR_ICT", "YBR_RCT": return "RGB"
        case "YBR_FULL", "YBR_FULL_422": return isJPEG(syntax) ? "RGB" : "YBR_FULL"
        default: return color
        }
    }

    /// Without loss, and written here: what was coded so stays coded so.
    static let keptSyntaxes: Set<TransferSyntax> = [
        .rleLossless, .jpegLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless, .htj2kLossless,
    ]

    private static func target(_ syntax: TransferSyntax, _ format: FrameFormat) -> TransferSyntax {
        if keptSyntaxes.contains(syntax) { return syntax }
        let isStoredLow = format.highBit == format.bitsStored - 1 && format.bitsStored >= 2
        return isStoredLow ? .jpegLSLossless : .rleLossless
    }
}
