import DICOM
import HTTP

@testable import Catalog
@testable import DICOMweb

extension FuzzTarget {
    /// A multipart body: the same parts in whatever pieces it comes.
    static let multipart = FuzzTarget("multipart") { _ in
        let parts = [
            "--b\r\nContent-Type: application/dicom\r\n\r\nabc\r\n--b\r\n\r\nd\r\n--b--\r\n",
            "preamble\r\n--b \t\r\nA: b\r\nC:d\r\n\r\n\r\n--b-\r\n--b--epilogue", "--b\r\nA:b\r\n\r\n--bb\r\n--b--",
            "--b--",
        ]
        return parts.enumerated().map { [UInt8($0.offset)] + Array($0.element.utf8) }
    } run: { input in
        var reader = InputReader(input)
        let seed = reader.byte()
        let whole = events(of: [reader.rest])
        try require(whole == events(of: pieces(reader.rest, seed: seed)), "a body in pieces is read otherwise")
        try require(whole.count <= input.count, "a body has more parts than bytes")
    }

    /// The query of a search.
    static let webQuery = FuzzTarget("web-query") { _ in
        [
            "PatientName=Wang*&limit=5&offset=10&fuzzymatching=true", "StudyInstanceUID=1.2,1.3&includefield=all",
            "00400275.00400009=a&RequestAttributesSequence.RequestedProcedureID=%E7%8E%8B", "StudyDate=-20240101&a",
            "includefield=00091001,PatientID&totalcount=true", "00091101=a*&00090011=ACME&0019100C=7&00190010=ACME",
            "%zz=+&=&&ModalitiesInStudy=CT%5CMR",
        ].enumerated().map { [UInt8($0.offset)] + Array($0.element.utf8) }
    } run: { input in
        var reader = InputReader(input)
        let choice = reader.byte()
        let levels: [QueryLevel] = [.study, .series, .instance]
        let path = ResourcePath(study: choice & 0x10 != 0 ? "1.2" : nil)
        let level = levels[Int(choice & 0x0F) % levels.count]
        let text = String(decoding: reader.rest, as: UTF8.self)
        guard let request = try? SearchRequest(level: level, path: path, query: text, keeping: fuzzPolicy) else {
            return
        }
        try require(path.study == nil || request.keys.string(.studyInstanceUID) == "1.2", "the path's study is lost")
        try require((request.limit ?? 0) >= 0 && request.offset >= 0, "a count is negative")
        let keys = MatchingKey.keys(request.keys, request.options) { LevelAttributes.isSupported($0) }
        for key in keys { _ = key.matches(heldSeed()) }
        _ = SearchAttributes.wanted(by: request)
    }

    /// Metadata in JSON, as others send it.
    static let jsonModel = FuzzTarget("json-model", byteCountLimit: 16_384) { images in
        images.datasets.compactMap { seed -> [UInt8]? in
            var bytes: [UInt8] = []
            guard let dataset = try? Dataset.parse(seed.bytes, transferSyntax: seed.syntax) else { return nil }
            dataset.json(into: &bytes)
            return bytes.count < 16_000 ? [UInt8(ascii: "[")] + bytes + [UInt8(ascii: "]")] : nil
        } + [Array(#"[{"00280030":{"vr":"DS","Value":[0.12345678901234567,null,"1"]}},{}]"#.utf8)]
    } run: { input in
        var models: [ModelDataset] = []
        try? JSONModelReader.read(input, limits: tightModelLimits) { models.append($0) }
        for model in models { try check(model) }
    }

    /// Metadata in XML, as others send it.
    static let xmlModel = FuzzTarget("xml-model", byteCountLimit: 16_384) { images in
        images.datasets.compactMap { seed -> [UInt8]? in
            var bytes: [UInt8] = []
            guard let dataset = try? Dataset.parse(seed.bytes, transferSyntax: seed.syntax) else { return nil }
            XMLModelWriter.write(ModelDataset(dataset: dataset), into: &bytes)
            return bytes.count < 16_000 ? [3] + bytes : nil
        } + [[1] + Array("<NativeDicomModel><DicomAttribute tag=\"00280010\" vr=\"US\"/></NativeDicomModel>".utf8)]
    } run: { input in
        var reader = InputReader(input)
        let seed = reader.byte()
        let whole = xml([reader.rest])
        let inPieces = xml(pieces(reader.rest, seed: seed))
        try require(whole.map { written($0) } == inPieces.map { written($0) }, "a document in pieces is read otherwise")
        if let whole { try check(whole) }
    }
}

private let tightModelLimits: ModelLimits = {
    var limits = ModelLimits()
    limits.depth = 8
    limits.nodeCount = 20_000
    limits.addressByteCount = 100
    return limits
}()

private func events(of pieces: [ArraySlice<UInt8>]) -> [[UInt8]] {
    guard var reader = try? MultipartReader(boundary: "b") else { return [] }
    var result: [[UInt8]] = []
    do {
        for piece in pieces {
            try piece.withUnsafeBytes { bytes in
                try reader.feed(bytes) { event in
                    switch event {
                    case .head(let fields): result.append(Array("\(fields.sorted { $0.key < $1.key })".utf8))
                    case .data(let bytes):
                        if !result.isEmpty { result[result.count - 1] += bytes }
                    case .end: break
                    }
                }
            }
        }
        try reader.finish()
    } catch {
        // What comes before a mistake may be told in fewer pieces.
        return []
    }
    return result
}

private func xml(_ pieces: [ArraySlice<UInt8>]) -> ModelDataset? {
    guard let reader = try? XMLModelReader(limits: tightModelLimits) else { return nil }
    do {
        for piece in pieces { try piece.withUnsafeBytes { try reader.feed($0) } }
        return try reader.finish()
    } catch { return nil }
}

private func written(_ model: ModelDataset) -> [UInt8] {
    var bytes: [UInt8] = []
    model.dataset.json(into: &bytes)
    return bytes
}

/// What holds of every model that was read: it is written and read again, and makes a dataset.
private func check(_ model: ModelDataset) throws {
    if model.problem != nil { return }
    var limits = tightModelLimits
    limits.nodeCount *= 4
    var texts: [[UInt8]] = [written(model)]
    for _ in 0..<2 {
        var read: [ModelDataset] = []
        try JSONModelReader.read(texts[texts.count - 1], limits: limits) { read.append($0) }
        try require(read.count == 1 && read[0].problem == nil, "what is written is not read")
        texts.append(written(read[0]))
    }
    // Numbers are shortened once.
    try require(texts[1] == texts[2], "what is written twice is not the same")
    var document: [UInt8] = []
    XMLModelWriter.write(model, into: &document)
    let reader = try XMLModelReader(limits: limits)
    try document.withUnsafeBytes { try reader.feed($0) }
    _ = try reader.finish()
    var scanner = DatasetScanner(transferSyntax: .explicitVRLittleEndian)
    let contents = model.addresses.map { _ in BulkContent(partByteCounts: [3], isEncapsulated: false) }
    var bytes: [UInt8] = []
    try DatasetAssembler.write(model, contents: contents) { _, _, give in
        try [UInt8](repeating: 1, count: 3).withUnsafeBytes { try give($0) }
    } emit: {
        bytes += $0
    }
    try scanner.feed(bytes)
    let scanned = try scanner.finish()
    try require(!scanned.isTruncated, "an assembled dataset is cut")
}

/// Private attributes that a query may name.
let fuzzPolicy = (try? PrivatePolicy(["study 0009xx01 LO ACME", "instance 0019xx0C US ACME"])) ?? .none
