import Foundation

/// Programs that a hospital runs: DCMTK's, pynetdicom, our own tool.
enum Tool {
    struct Result {
        var code: Int32
        var output: String
        var error: String

        /// The output, or a failure that shows both streams.
        func checked() throws -> String {
            guard code == 0 else { throw ToolFailure(text: "exit code \(code)\n\(output)\n\(error)") }
            return output
        }
    }

    /// Runs to the end, at most `timeout` seconds.
    static func run(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], timeout: TimeInterval = 120
    ) throws -> Result {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        // Files, because a full pipe would stop the program.
        let folder = TemporaryFolder.make()
        let (outPath, errorPath) = (folder + "/out", folder + "/error")
        _ = FileManager.default.createFile(atPath: outPath, contents: nil)
        _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: outPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        process.standardInput = FileHandle.nullDevice
        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        try process.run()
        if ended.wait(timeout: .now() + timeout) == .timedOut {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            throw ToolFailure(text: "\(path) did not end within \(timeout) s")
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }
        return Result(code: process.terminationStatus, output: text(outPath), error: text(errorPath))
    }

    /// A program of DCMTK. By its full path: pynetdicom installs programs of the same names.
    static func dcmtk(_ name: String, _ arguments: [String], timeout: TimeInterval = 120) throws -> Result {
        try run("/usr/bin/" + name, arguments, environment: ["TCP_NODELAY": "1"], timeout: timeout)
    }

    /// Starts a program that runs until it is ended.
    static func start(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        return process
    }
}
