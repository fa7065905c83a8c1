import ArgumentParser
import Control
import Foundation
import Queue

struct QueueCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "queue", abstract: "See and steer what waits to be sent or reported.",
        subcommands: [List.self, Retry.self, Cancel.self, Pause.self, Resume.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List jobs, the newest first.")

        @Option(
            name: .customLong("state"),
            help: "waiting, running, dead, done or cancelled; may be repeated. Waiting, running and dead by default.")
        var states: [String] = []

        @Option(help: "How many at most.")
        var limit = 100

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        struct Result: Encodable {
            var jobs: [Job]
            var counts: [String: Int]
            var pausedLanes: [String]
        }

        func run() async throws {
            let wanted = try states.map { name in
                guard let state = Job.State(rawValue: name) else {
                    throw ValidationError("\(name) is no state: take waiting, running, dead, done or cancelled.")
                }
                return state
            }
            let request = ControlRequest.jobs(
                states: wanted.isEmpty ? [.waiting, .running, .dead] : wanted, limit: limit)
            let channel = try Channel.ask(request, try await options.load())
            guard case .jobs(let jobs, let counts, let paused) = try channel.reply() else {
                throw CommandFailure.end(2, "no jobs came")
            }
            let rows = jobs.map { job in
                [
                    "\(job.id)", job.kind, job.lane, paused.contains(job.lane) ? "paused" : job.state.rawValue,
                    "\(job.remaining)", "\(job.attempts)", Self.when(job), job.reason.isEmpty ? "-" : job.reason,
                ]
            }
            let sums = Job.State.allCases.map { "\(counts[$0.rawValue] ?? 0) \($0.rawValue)" }
            var lines = [sums.joined(separator: ", ")]
            if !paused.isEmpty { lines.append("paused: \(paused.joined(separator: ", "))") }
            if !rows.isEmpty {
                lines.append(table(["job", "kind", "lane", "state", "left", "failed", "next try", "reason"], rows))
            }
            try output.show(
                Result(jobs: jobs, counts: counts, pausedLanes: paused), lines.joined(separator: "\n"))
        }

        private static func when(_ job: Job) -> String {
            guard job.state == .waiting else { return "-" }
            let seconds = Double(job.dueAt) / 1000 - Date().timeIntervalSince1970
            return seconds <= 0 ? "now" : "in \(Int(seconds.rounded(.up))) s"
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Try a dead job again, or one that waits for a later try now.")

        @Argument(help: "Number of the job.")
        var job: Int64

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.retryJob(job), try await options.load()).finish()
            print("job \(job) waits")
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel", abstract: "End a job; what it has sent stays sent.")

        @Argument(help: "Number of the job.")
        var job: Int64

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.cancelJob(job), try await options.load()).finish()
            print("job \(job) is cancelled")
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Stop sending to a destination; its jobs wait.")

        @Argument(help: "Lane, as `huizhen queue list` shows it: the destination's AE title.")
        var lane: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.pauseLane(lane, on: true), try await options.load()).finish()
            print("\(lane) is paused")
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Go on sending to a destination.")

        @Argument(help: "Lane, as `huizhen queue list` shows it.")
        var lane: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.pauseLane(lane, on: false), try await options.load()).finish()
            print("\(lane) goes on")
        }
    }
}
