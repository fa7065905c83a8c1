import Foundation

/// Programs that a hospital runs: DCMTK's, pynetdicom, our own tool.
enum Tool {
    struct Result {
        var code: Int32
        var output: String
        var error: String

        /// The output, or a failure that shows both streams.
        @discardableResult
        func checked() throws -> String {
            guard code == 0 else { throw ToolFailure(text: "exit code \(code)\n\(output)\n\(error)") }
            return output
        }
    }

    /// Runs to the end, at most `timeout` seconds.
    static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], timeout: TimeInterval = 120
    ) throws -> Result {
        // Files, because a full pipe would stop the program.
        let folder = TemporaryFolder.make()
        let (outPath, errorPath) = (folder + "/out", folder + "/error")
        let child = try Child(path, arguments, environment: environment, output: outPath, error: errorPath)
        guard let code = child.waitForEnd(seconds: timeout) else {
            child.end()
            throw ToolFailure(text: "\(path) did not end within \(timeout) s")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }
        return Result(code: code, output: text(outPath), error: text(errorPath))
    }

    /// A program of DCMTK. By its full path: pynetdicom installs programs of the same names.
    static func dcmtk(_ name: String, _ arguments: [String], timeout: TimeInterval = 120) throws -> Result {
        try run("/usr/bin/" + name, arguments, environment: ["TCP_NODELAY": "1"], timeout: timeout)
    }
}
