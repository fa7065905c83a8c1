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
        /// Pixels around a word that go with it: edges of letters are softened.
        private static let margin = 3

        let transferSyntax: TransferSyntax
        let changes: Dataset
        let done: PixelCleaningDemand

        private let cleaner: CodecPixelCleaner
        private let frames: CleanedFrames
        private let regions: [PixelRegion]
        private let kept: [PixelRegion]?
        private let readsText: Bool
        private let frameCleaner: FrameCleaner?

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
            frames.native.blank(regions, in: &native)
            if let kept { frames.native.keepOnly(kept, in: &native) }
            if readsText { frames.native.blank(try words(native), in: &native) }
            guard let encoding = frames.encoding else { return native }
            if native == source, frames.target == frames.source, let frameCleaner {
                var whole = frame
                do throws(StreamError) { try frameCleaner.clean(&whole) } catch { throw .stream(error) }
                return whole
            }
            return try converting { () throws(CodecError) in try cleaner.codecs.convert(native, encoding) }
        }

        private func words(_ frame: [UInt8]) throws(Quarantine) -> [PixelRegion] {
            let found = try converting { () throws(CodecError) in
                try cleaner.readers.words(
                    in: frames.native.grey(frame),
                    TextSearch(rows: frames.native.rows, columns: frames.native.columns))
            }
            return found.map { word in
                PixelRegion(
                    left: max(0, word.left - Self.margin), top: max(0, word.top - Self.margin),
                    width: word.right - word.left + 2 * Self.margin, height: word.bottom - word.top + 2 * Self.margin)
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

    private static func target(_ syntax: TransferSyntax, _ format: FrameFormat) -> TransferSyntax {
        let isLossless = [
            .rleLossless, .jpegLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless, .htj2kLossless,
        ]
        .contains(syntax)
        if isLossless { return syntax }
        let isStoredLow = format.highBit == format.bitsStored - 1 && format.bitsStored >= 2
        return isStoredLow ? .jpegLSLossless : .rleLossless
    }
}
