import ArgumentParser
import Control
import Routing

struct RouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route", abstract: "Say what is forwarded to which peers.",
        subcommands: [Add.self, List.self, Remove.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a route, or replace the one with this name; holds for what arrives from now on.",
            discussion: """
                On arrival each matching instance is sent as soon as it is stored; on completion a study goes whole once \
                it has been quiet (study.quiet), if any of its instances matches; on consultation a complete study goes to \
                a site once its institution was granted all of it (`huizhen grant add`), and while the grant holds. Sending is durable: see `huizhen queue`.
                """)

        @Argument(help: "Name of the route.")
        var name: String

        @Option(name: .customLong("to"), help: "AE title of a peer to send to. May be repeated.")
        var destinations: [String]

        @Option(help: "What sets it off: arrival, completion or consultation.")
        var on: String = Route.Event.arrival.rawValue

        @Option(name: .customLong("from"), help: "AE title that sent it. May be repeated; any by default.")
        var callingAETitles: [String] = []

        @Option(name: .customLong("modality"), help: "Modality, such as CT. May be repeated; any by default.")
        var modalities: [String] = []

        @Option(help: "Pattern of Study or Series Description, with * and ?.")
        var description: String?

        @Option(help: "Pattern of Station Name, with * and ?.")
        var station: String?

        @Option(help: "Pattern of the reason of the grant, with * and ?; any by default.")
        var consultation: String?

        @Option(help: "0...9, higher first.")
        var priority = 5

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard let event = Route.Event(rawValue: on) else {
                throw ValidationError("--on takes arrival, completion or consultation.")
            }
            let route = Route(
                name: name, event: event, callingAETitles: callingAETitles, modalities: modalities,
                description: description, station: station, consultation: consultation, destinations: destinations,
                priority: priority)
            if let fault = route.fault { throw ValidationError("\(fault).") }
            try Channel.ask(.addRoute(route), try await options.load()).finish()
            print("\(name) is added")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the routes.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let channel = try Channel.ask(.routes, try await options.load())
            guard case .routes(let routes) = try channel.reply() else { throw CommandFailure.end(2, "no routes came") }
            func any(_ values: [String]) -> String { values.isEmpty ? "any" : values.joined(separator: ",") }
            let rows = routes.map {
                [
                    $0.name, $0.event.rawValue, any($0.callingAETitles), any($0.modalities), $0.description ?? "any",
                    $0.station ?? "any", $0.consultation ?? "any", "\($0.priority)",
                    $0.destinations.joined(separator: ","),
                ]
            }
            try output.show(
                routes,
                rows.isEmpty
                    ? "no routes: add one with `huizhen route add`"
                    : table(
                        ["route", "on", "from", "modality", "description", "station", "grant", "priority", "to"], rows))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Remove a route; what it has put into the queue stays there.")

        @Argument(help: "Name of the route.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.removeRoute(name: name), try await options.load()).finish()
            print("\(name) is removed")
        }
    }
}
