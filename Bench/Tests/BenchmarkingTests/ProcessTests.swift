import Foundation
import Testing

@testable import Benchmarking

private func command(_ script: String, environment: [String: String] = [:]) -> Command {
    let folder = FileManager.default.temporaryDirectory.path
    return Command(
        name: "sh", executable: "/bin/sh", arguments: ["-c", script], environment: environment,
        workingDirectory: folder, log: folder + "/bench-\(UUID().uuidString).log")
}

@Test func aProcessThatEndsWellIsTimed() throws {
    let command = command("exit 0")
    defer { unlink(command.log) }
    #expect(try command.run(atMost: .seconds(20)) > 0)
}

@Test func aStatusIsAnErrorWithTheLastWordsAndWithoutUIDs() {
    let command = command("echo refused 1.2.840.10008.5.1.4; exit 3")
    defer { unlink(command.log) }
    #expect(throws: BenchError.failed(process: "sh", status: 3, lastWords: "refused (uid)")) {
        try command.run(atMost: .seconds(20))
    }
}

@Test func aProcessBeyondItsBoundIsKilledWithWhatItStarted() {
    let command = command("sleep 60 & sleep 60")
    defer { unlink(command.log) }
    #expect(throws: BenchError.timedOut(process: "sh", seconds: 1)) { try command.run(atMost: .seconds(1)) }
}

@Test func onlyAContestantsOwnSettingsReachDCMTK() {
    setenv("TCP_NODELAY", "1", 1)
    defer { unsetenv("TCP_NODELAY") }
    #expect(!command("").environmentStrings.contains("TCP_NODELAY=1"))
    #expect(command("", environment: ["TCP_NODELAY": "1"]).environmentStrings.contains("TCP_NODELAY=1"))
}

@Test func stoppingTwiceIsHarmless() throws {
    let command = command("sleep 60")
    defer { unlink(command.log) }
    let child = try Child.start(command)
    #expect(child.isRunning)
    child.stop()
    child.stop()
    #expect(!child.isRunning)
}

@Test func aTreeCountsTheMemoryOfWhatAProcessStarted() throws {
    let command = command("sleep 60 & wait")
    defer { unlink(command.log) }
    let child = try Child.start(command)
    defer { child.stop() }
    let tree = ProcessTree(root: child.pid)
    #expect(tree.residentByteCount > 0)
    #expect(tree.peakByteCount > 0)
}

@Test func refusesADirectoryInMemory() throws {
    #expect(throws: BenchError.notOnDisk(path: "/dev/shm", fileSystem: "tmpfs")) {
        try FileSystem(under: "/dev/shm")
    }
}
