import DICOM
import Keys

/// De-identifies one instance while it is scanned: the header when the pixel data begins, the pixels as they pass.
final class InstancePass: PixelDataReceiver {
    enum Stop: Error {
        case quarantine(Quarantine)
        case output(any Error)
    }

    private let deidentifier: Deidentifier
    private let source: TransferSyntax
    private let isReporting: Bool
    private let output: any DeidentificationOutput
    private var pseudonyms: Pseudonyms?
    private var header: HeaderPass?
    private var pixels: PixelPass?
    /// Pixel data came.
    private var pixelTag: Tag?

    init(
        _ deidentifier: Deidentifier, _ source: TransferSyntax, isReporting: Bool, output: any DeidentificationOutput
    ) {
        self.deidentifier = deidentifier
        self.source = source
        self.isReporting = isReporting
        self.output = output
    }

    deinit { if let pseudonyms { deidentifier.giveBack(pseudonyms) } }

    // MARK: Header

    private func quarantining<Result>(_ body: () throws(Quarantine) -> Result) throws(Stop) -> Result {
        do throws(Quarantine) { return try body() } catch { throw .quarantine(error) }
    }

    private func write(_ bytes: [UInt8]) throws(Stop) {
        do { try bytes.withUnsafeBytes { try output.write($0) } } catch { throw .output(error) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws(Stop) {
        do { try output.write(bytes) } catch { throw .output(error) }
    }

    /// Makes the header anew.
    private func pass(over header: Dataset) throws(Stop) -> (pass: HeaderPass, result: Dataset) {
        let sopClass = header.string(.sopClassUID) ?? ""
        if header.contains(.directoryRecordSequence) { throw .quarantine(.directory) }
        guard UIDs.isValid(sopClass), UIDs.isValid(header.string(.sopInstanceUID) ?? "") else {
            throw .quarantine(.noIdentity)
        }
        if sopClass == SOPClass.mediaStorageDirectory { throw .quarantine(.directory) }
        if Self.isVoice(sopClass, header), deidentifier.rules.voiceReason == nil { throw .quarantine(.voice) }
        let pass: HeaderPass
        do throws(KeyError) {
            let pseudonyms = try deidentifier.borrowPseudonyms()
            self.pseudonyms = pseudonyms
            pass = try HeaderPass(
                header, plan: deidentifier.plan(sopClass), pseudonyms: pseudonyms, isReporting: isReporting)
        } catch { throw .quarantine(.failed(operation: "keyed hash")) }
        self.header = pass
        let result = try quarantining { () throws(Quarantine) in try pass.dataset(header.withResolvedVRs(), in: nil) }
        return (pass, result)
    }

    /// What has to be cleaned in the pixels behind a header, and who does it; nil for nothing.
    private func cleaning(of header: Dataset) throws(Stop) -> (cleaner: any PixelCleaner, demand: PixelCleaningDemand)?
    {
        let decision = try quarantining { () throws(Quarantine) in
            try PixelPassage.decide(header, profile: deidentifier.profile, cleaner: deidentifier.pixelCleaner)
        }
        guard case .clean(let demand) = decision else { return nil }
        guard let cleaner = deidentifier.pixelCleaner else {
            throw .quarantine(demand.text ? .pixelsNotCleaned : .featuresNotCleaned)
        }
        return (cleaner, demand)
    }

    /// Makes anew a header of which nothing else goes out.
    func released(_ header: Dataset) throws(Stop) -> Dataset {
        var (_, result) = try pass(over: header)
        _ = try cleaning(of: header)
        result.merge(
            Declaration.elements(profile: deidentifier.profile, done: PixelCleaningDemand(), source: header))
        return result
    }

    /// Basic Voice, General and Real-Time Audio, and waveforms that say to be voices.
    private static func isVoice(_ sopClass: String, _ header: Dataset) -> Bool {
        if ["1.2.840.10008.5.1.4.1.1.9.4.1", "1.2.840.10008.5.1.4.1.1.9.4.2", "1.2.840.10008.10.4"].contains(sopClass) {
            return true
        }
        return header.string(.modality) == "AU"
    }

    /// Tells the output what comes and writes everything up to the pixel data.
    private func begin(
        _ pass: HeaderPass, _ source: Dataset, _ result: Dataset, transferSyntax: TransferSyntax,
        changes: Dataset, done: PixelCleaningDemand
    ) throws(Stop) {
        var result = result
        result.merge(changes)
        result.merge(Declaration.elements(profile: deidentifier.profile, done: done, source: source))
        if let escrow = deidentifier.escrow {
            do throws(EscrowError) { result.set(try escrow.element(source: source, result: result)) } catch {
                throw .quarantine(.escrow(error))
            }
        }
        if let last = result.elements.last, last.tag >= .extendedOffsetTable {
            result.removeAll { $0.tag >= .extendedOffsetTable }
        }
        let studyUID = source.string(.studyInstanceUID) ?? ""
        let announced: OutputHeader
        do throws(KeyError) {
            announced = OutputHeader(
                sopClassUID: result.string(.sopClassUID) ?? "", sopInstanceUID: result.string(.sopInstanceUID) ?? "",
                studyInstanceUID: result.string(.studyInstanceUID) ?? "", transferSyntax: transferSyntax,
                patientFolder: try pass.pseudonyms.folder("patient " + (try pass.pseudonyms.patient(pass.identity))),
                studyFolder: try pass.pseudonyms.folder("study " + studyUID))
        } catch { throw .quarantine(.failed(operation: "keyed hash")) }
        guard UIDs.isValid(announced.sopInstanceUID), UIDs.isValid(announced.sopClassUID) else {
            throw .quarantine(.noIdentity)
        }
        do { try output.begin(announced) } catch { throw .output(error) }
        try write(result.encoded(transferSyntax: .explicitVRLittleEndian))
    }

    // MARK: Pixel data

    func beginPixelData(_ beginning: PixelDataBeginning) throws(Stop) {
        pixelTag = beginning.tag
        let source = beginning.header
        let (pass, result) = try pass(over: source)
        let cleaning = try cleaning(of: source).map { (cleaner, demand) throws(Stop) in
            try quarantining { () throws(Quarantine) in
                try cleaner.begin(header: source, transferSyntax: self.source, demand: demand)
            }
        }
        let pixels = try quarantining { () throws(Quarantine) in
            try PixelPass(
                beginning, source: self.source, limits: deidentifier.limits, cleaning: cleaning)
        }
        self.pixels = pixels
        try begin(
            pass, source, result, transferSyntax: pixels.transferSyntax, changes: cleaning?.changes ?? Dataset(),
            done: cleaning?.done ?? PixelCleaningDemand())
        try write(pixels.head)
    }

    func pixelBytes(_ bytes: UnsafeRawBufferPointer) throws(Stop) {
        guard let pixels else { return }
        if let bytes = pixels.passing(bytes) { return try write(bytes) }
        do throws(Quarantine) { try pixels.take(bytes) } catch { throw .quarantine(error) }
        try drain(pixels)
    }

    func beginFragment(byteCount: UInt64) throws(Stop) {
        do throws(Quarantine) { try pixels?.beginFragment(byteCount: byteCount) } catch { throw .quarantine(error) }
    }

    func endFragment() throws(Stop) {
        guard let pixels else { return }
        do throws(Quarantine) { try pixels.endFragment() } catch { throw .quarantine(error) }
        try drain(pixels)
    }

    func endPixelData(isWhole: Bool) throws(Stop) {
        guard let pixels else { return }
        if !isWhole { throw .quarantine(.truncated) }
        do throws(Quarantine) { try pixels.finish() } catch { throw .quarantine(error) }
        try drain(pixels)
        let count = pixels.cleaningCount
        header?.note(
            pixels: pixels.changedByteCount + count.leftOutByteCount, source.isEncapsulated ? .codedFrame : .pixelData)
        header?.note(pixels: count.rectangleByteCount, .pixelRectangle, count: count.rectangles)
        header?.note(pixels: count.wordByteCount, .burnedInText, count: count.words)
        header?.note(pixels: count.recodedByteCount, .recoded, count: count.recodedFrames)
    }

    private func drain(_ pixels: PixelPass) throws(Stop) {
        if pixels.ready.isEmpty { return }
        defer { pixels.ready.removeAll(keepingCapacity: pixels.ready.count <= PixelPass.keptByteCount) }
        do { try pixels.ready.withUnsafeBytes { try output.write($0) } } catch { throw .output(error) }
    }

    // MARK: End

    /// - Parameter whole: the scanned dataset, what follows the pixel data included.
    func finish(_ whole: Dataset) throws(Stop) -> InstanceReport {
        guard let pixelTag else {
            let (pass, result) = try pass(over: whole)
            var late = Dataset()
            late.merge(result)
            late.removeAll { $0.tag < .extendedOffsetTable }
            try begin(
                pass, whole, result, transferSyntax: .explicitVRLittleEndian, changes: Dataset(),
                done: PixelCleaningDemand())
            try write(late.encoded(transferSyntax: .explicitVRLittleEndian))
            return pass.report
        }
        guard let header else { return InstanceReport() }
        guard let last = whole.elements.last, last.tag > pixelTag else { return header.report }
        var behind = whole
        behind.removeAll { $0.tag <= pixelTag }
        let result = try quarantining { () throws(Quarantine) in try header.dataset(behind, in: nil) }
        try write(result.encoded(transferSyntax: .explicitVRLittleEndian))
        return header.report
    }
}
