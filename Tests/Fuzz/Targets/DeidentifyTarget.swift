import DICOM
import Deidentification
import Keys

extension FuzzTarget {
    /// De-identifying: what passes can be read, is marked, has no name of the source, and does not depend on pieces.
    static let deidentify = FuzzTarget("deidentify") { images in
        images.datasets.flatMap { dataset in
            (0..<UInt8(Profile.named.count)).map { [encodingIndex(dataset.syntax), $0, 5] + dataset.bytes }
        }
    } run: { input in
        var reader = InputReader(input)
        let syntax = reader.choice(encodings)
        let profile = reader.choice(Profile.named)
        let seed = reader.byte()
        let whole = DeidentifiedInput([reader.rest], syntax, profile)
        let cut = DeidentifiedInput(pieces(reader.rest, seed: seed), syntax, profile)
        try require(whole.isPassed == cut.isPassed, "pieces decide whether it passes")
        guard whole.isPassed else { return }
        try require(whole.bytes == cut.bytes, "pieces change the result")
        guard let header = whole.header else { throw BrokenProperty(description: "it passed without a beginning") }
        var scanner = DatasetScanner(transferSyntax: header.transferSyntax)
        try scanner.feed(whole.bytes[...])
        let result = try scanner.finish()
        try require(!result.isDamaged && !result.isTruncated, "the result is damaged")
        try require(result.header.string(.patientIdentityRemoved) == "YES", "the result is not marked")
        try require(UIDs.isValid(header.sopInstanceUID), "the new UID is none")
        try require(result.header.elements.allSatisfy { !$0.tag.isPrivate }, "something private is left")
        try require(
            result.header.elements.allSatisfy { !(0x5000..<0x7000).contains($0.tag.group) }, "an overlay is left")
        let name = result.header.string(.patientName) ?? ""
        try require(name.isEmpty || name.hasPrefix("HZ-"), "the patient's name is no pseudonym")
    }
}

/// One object through the engine.
private final class DeidentifiedInput: DeidentificationOutput {
    var header: OutputHeader?
    var bytes: [UInt8] = []
    private(set) var isPassed = false

    private static let deidentifiers: [String: Deidentifier] = {
        let key = (0..<32).map { UInt8($0) }.withUnsafeBytes { SymmetricKey(copying: $0)! }
        var limits = DeidentificationLimits()
        limits.headerByteCount = 1 << 20
        limits.frameByteCount = 1 << 20
        return Swift.Dictionary(
            uniqueKeysWithValues: Profile.named.map {
                ($0.name, Deidentifier(profile: $0, key: ProjectKey(key), limits: limits))
            })
    }()

    init(_ pieces: [ArraySlice<UInt8>], _ syntax: TransferSyntax, _ profile: Profile) {
        guard let deidentifier = Self.deidentifiers[profile.name] else { return }
        do throws(DeidentificationError) {
            var instance = deidentifier.instance(transferSyntax: syntax, output: self)
            for piece in pieces { try instance.feed(Array(piece)) }
            _ = try instance.finish()
            isPassed = true
        } catch {}
    }

    func begin(_ header: OutputHeader) throws { self.header = header }
    func write(_ bytes: UnsafeRawBufferPointer) throws { self.bytes += bytes }
}
