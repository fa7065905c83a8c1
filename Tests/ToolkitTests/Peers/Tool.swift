import Foundation
import Toolkit

/// A program of DCMTK's.
final class Tool {
    let process = Process()

    static func isInstalled(_ name: String) -> Bool { FileManager.default.isExecutableFile(atPath: "/usr/bin/" + name) }

    init(_ name: String, _ arguments: [String]) throws {
        process.executableURL = URL(filePath: "/usr/bin/" + name)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    /// Runs to the end and gives the exit code.
    static func run(_ name: String, _ arguments: [String]) throws -> Int32 {
        let tool = try Tool(name, arguments)
        tool.process.waitUntilExit()
        return tool.process.terminationStatus
    }

    /// Kills it: the signal mask it inherits from a test's thread keeps SIGTERM away from it.
    func stop() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// A port that was free a moment ago, for programs that must be told one.
///
/// Below the range the system takes ports from by itself: otherwise a test that runs beside this one is given the same
/// port before the program opens it.
func freePort() throws -> UInt16 {
    for _ in 0..<100 {
        let port = UInt16.random(in: 10_000..<32_000)
        if let listener = try? Toolkit.Listener(addresses: ["127.0.0.1"], port: port) {
            listener.close()
            return port
        }
    }
    throw AssociationError.unreachable(errno: EADDRINUSE)
}
