import ArgumentParser
import Foundation
import Phantoms

/// Writes every phantom and the manifest.
struct Generate: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Write the phantoms and manifest.json.")

    @OptionGroup var place: Place

    func run() throws {
        let folder = place.url.appending(path: "phantoms")
        try GeneratorError.createFolder(folder)
        let manifest = try Manifest(PhantomCollection()) { entry, bytes throws(GeneratorError) in
            try GeneratorError.write(Data(bytes), to: place.url.appending(path: entry.path))
        }
        try GeneratorError.write(manifest.json(), to: place.manifest)
        try removeStrangers(from: folder, keeping: Set(manifest.files.map(\.path)))
        let byteCount = manifest.files.reduce(0) { $0 + $1.byteCount }
        Terminal.report("\(manifest.files.count) phantoms, \(byteCount) bytes")
    }

    /// A phantom that was renamed must not stay behind under its old name.
    private func removeStrangers(from folder: URL, keeping paths: Set<String>) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path) where name.hasSuffix(".dcm") {
            if !paths.contains("phantoms/\(name)") {
                try FileManager.default.removeItem(at: folder.appending(path: name))
            }
        }
    }
}
