import ArgumentParser
import Control
import Foundation

struct ProjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "project", abstract: "Look after the projects that studies are de-identified for.",
        discussion: """
            A project has a secret key. Its pseudonyms are the same wherever the key is, and say nothing to who has it \
            not. Works with the running service, or on a data directory that none runs on.
            """,
        subcommands: [Create.self, List.self, Setting.self, Show.self, Export.self, Import.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a project and its key.")

        @Argument(help: "Name: letters, digits, '-', '_' and '.'.")
        var name: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let request = KeyRequest.createProject(name: name)
            guard case .projects(let projects) = try await KeysCommand.ask(request, options, mayCreate: true) else {
                return
            }
            try output.show(
                projects.filter { $0.name == name },
                "project \(name) is made; its key is sealed under the master key: keep a backup of the data directory's keys"
            )
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the projects.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .projects(let projects) = try await KeysCommand.ask(.projects, options) else { return }
            let rows = projects.map { project in
                [project.name, Date(timeIntervalSince1970: Double(project.createdAt)).ISO8601Format()]
            }
            try output.show(projects, rows.isEmpty ? "no projects" : table(["project", "made"], rows))
        }
    }
}
