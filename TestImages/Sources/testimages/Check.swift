import ArgumentParser
import Foundation
import Phantoms

/// Draws the phantoms again in memory and compares them with the manifest and the files.
struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw the phantoms again in memory and compare them with manifest.json and the files.",
        discussion: "Exits with 1 and names the files that differ.")

    @OptionGroup var place: Place

    func run() throws {
        let held = try Manifest(contentsOf: place.manifest)
        let entries = Dictionary(held.files.map { ($0.path, $0) }) { first, _ in first }
        var differences: [String] = []
        let drawn = try Manifest(PhantomCollection(seed: Seed(held.seed))) { entry, bytes throws(GeneratorError) in
            if entries[entry.path] != entry { differences.append("\(entry.path): manifest differs") }
            let file = try? Data(contentsOf: place.url.appending(path: entry.path))
            if file != Data(bytes) { differences.append("\(entry.path): file differs or is missing") }
        }
        let names = Set(drawn.files.map(\.path))
        differences += held.files.filter { !names.contains($0.path) }.map { "\($0.path): no longer drawn" }
        if differences.isEmpty { return Terminal.report("\(drawn.files.count) phantoms are as the manifest says") }
        differences.forEach { Terminal.report($0) }
        throw ExitCode.failure
    }
}
