import ArgumentParser
import Foundation
import Phantoms

/// Writes a large series or a large object for benchmarks.
struct Large: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write a large CT series or one large multi-frame object, with bounded memory.")

    enum Kind: String, ExpressibleByArgument, CaseIterable { case ct, multiframe }

    @Option(help: "ct: many slices; multiframe: one object.")
    var kind: Kind
    @Option(help: "ct: how many slices.")
    var count = 500
    @Option(help: "multiframe: bytes of pixel data, rounded down to whole frames.")
    var byteCount = 1 << 30
    @Option(help: "Rows and columns.")
    var size = 512
    @Option(help: "Another seed gives another study with other noise.")
    var seed = Seed.committed.value
    @Option(help: "The folder to write into; it is created.")
    var into: String

    func run() throws {
        let folder = URL(filePath: into, directoryHint: .isDirectory)
        switch kind {
        case .ct:
            try LargeSeries(seed: Seed(seed), count: count, size: size).write(into: folder) {
                if $0 % 100 == 0 || $0 == count { Terminal.report("\($0) of \(count) slices") }
            }
        case .multiframe:
            let object = try LargeMultiFrame(seed: Seed(seed), byteCount: byteCount, size: size)
            try GeneratorError.createFolder(folder)
            try object.write(to: folder.appending(path: "large-multiframe.dcm")) {
                if $0 % 500 == 0 || $0 == object.frameCount { Terminal.report("\($0) of \(object.frameCount) frames") }
            }
        }
    }
}
