import ArgumentParser
import Foundation
import Phantoms

/// Draws the project's test images.
@main
struct TestImages: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "testimages", abstract: "Draws the project's test images: the same bytes from the same seed.",
        subcommands: [Generate.self, Check.self, Large.self])
}

/// Where the manifest lies.
struct Place: ParsableArguments {
    @Option(help: "The folder that holds manifest.json and phantoms (default: TestImages if there is one here, else .)")
    var folder: String?

    var url: URL {
        if let folder { return URL(filePath: folder, directoryHint: .isDirectory) }
        let isOutside = FileManager.default.fileExists(atPath: "TestImages/Package.swift")
        return URL(filePath: isOutside ? "TestImages" : ".", directoryHint: .isDirectory)
    }

    var manifest: URL { url.appending(path: "manifest.json") }
}

/// Says things to the person at the terminal, beside what a script reads.
enum Terminal {
    static func report(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
