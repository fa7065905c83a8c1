import ArgumentParser
import Foundation
import Loading

@main
struct FillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill",
        abstract: "Fill a fresh data directory's catalogue with synthetic studies of two objects each.",
        discussion: "There are no objects behind the records: queries are answered and retrievals are not.")

    @Argument(help: "The data directory, to be served afterwards.")
    var directory: String

    @Option(help: "Studies; \(Base.studyCount) at least.")
    var studies = 1_000_000

    @Option(help: "Seed of the names and numbers.")
    var seed: UInt64 = 20_240_229

    func run() throws {
        let clock = ContinuousClock()
        let begin = clock.now
        try Loader.fill(directory, studies: studies, seed: seed) { done in
            if done.isMultiple(of: 100_000) { print("\(done) studies: \((clock.now - begin).components.seconds) s") }
        }
        print("done: \((clock.now - begin).components.seconds) s")
    }
}
