import Foundation

/// The service's own commands on files and on a running service.
struct HuizhenTool: Sendable {
    static let profile = "research"
    private static let project = "bench"

    private let executable: String
    private let data: String
    private let folder: String

    /// - Parameter data: the data directory, of a running service or of none.
    /// - Throws: `.system`; `.noHuizhen`.
    init(_ session: Session, data: String) throws(BenchError) {
        guard let path = session.options.huizhen else { throw .noHuizhen(path: "--huizhen") }
        executable = path
        self.data = data
        folder = session.options.directory + "/logs"
        try Files.makeFolder(folder)
    }

    func command(_ arguments: [String]) -> Command {
        Command(
            name: "huizhen " + (arguments.first ?? ""), executable: executable,
            arguments: arguments + ["--data", data], workingDirectory: folder,
            log: "\(folder)/huizhen-\(arguments.first ?? "").log")
    }

    /// Makes the key of the pseudonyms.
    func makeProject() throws(BenchError) {
        try command(["project", "create", Self.project]).run(atMost: .seconds(60))
    }

    /// De-identifies files into a folder that is not there yet.
    func deidentify(_ inputs: [String], into output: String, profile: String = profile) -> Command {
        command(["deidentify"] + inputs + ["--output", output, "--profile", profile, "--project", Self.project])
    }

    private struct Copy: Decodable {
        var objects: Int
    }

    /// Keeps a de-identified copy of a study of the running service.
    ///
    /// - Returns: seconds of the command's life.
    func release(_ study: String, expecting count: Int) throws(BenchError) -> Double {
        let command = command([
            "release", study, "--profile", Self.profile, "--project", Self.project, "--json",
        ])
        let seconds = try command.run(atMost: WorkBound.store)
        let found =
            FileManager.default.contents(atPath: command.log)
            .flatMap { try? JSONDecoder().decode(Copy.self, from: $0) }?.objects ?? 0
        guard found == count else { throw .incomplete(work: "objects released", expected: count, found: found) }
        return seconds
    }
}
