import DICOM
import Foundation

extension FuzzTarget {
    /// DICOM JSON: whatever a dataset holds, its model is JSON.
    static let json = FuzzTarget("json") { images in
        images.datasets.map { [encodingIndex($0.syntax), 4] + $0.bytes }
    } run: { input in
        var reader = InputReader(input)
        let syntax = reader.choice(encodings)
        var options = JSONOptions()
        options.inlineByteCount = Int(reader.byte()) * 4
        var scanner = DatasetScanner(transferSyntax: syntax, limits: tightLimits)
        guard (try? scanner.feed(reader.rest)) != nil, let scanned = try? scanner.finish() else { return }
        var bytes: [UInt8] = []
        scanned.header.json(into: &bytes, options: options)
        let isJSON = (try? JSONSerialization.jsonObject(with: Data(bytes))) is [String: Any]
        try require(isJSON, "the model of a dataset is no JSON")
    }
}
