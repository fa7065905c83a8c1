import ArgumentParser
import Catalog
import Foundation

@main
struct FillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill",
        abstract: "Fill a fresh data directory's catalogue with synthetic studies of two objects each.",
        discussion: """
            Records go through the catalogue's own writer, as if objects had been stored; there are no objects behind \
            them, so queries are answered and retrievals are not.
            """)

    @Argument(help: "The data directory, to be served afterwards.")
    var directory: String

    @Option(help: "Studies; \(Base.studyCount) at least.")
    var studies = 1_000_000

    @Option(help: "Seed of the names and numbers.")
    var seed: UInt64 = 20_240_229

    /// Records on their way into the catalogue at a time.
    static let inFlightLimit = 1024
    /// The pack that the records name; no store reaches its number.
    static let pack = UInt32.max

    func validate() throws {
        guard studies >= Base.studyCount else { throw ValidationError("--studies takes \(Base.studyCount) or more") }
    }

    func run() throws {
        let path = directory + "/catalog.sqlite"
        guard !FileManager.default.fileExists(atPath: path) else {
            throw ValidationError("There is a catalogue in that directory already: name a fresh one.")
        }
        try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let catalog = try Catalog(path: path)
        let maker = StudyMaker(seed: seed)
        let clock = ContinuousClock()
        let begin = clock.now
        var tickets: [Ticket] = []
        for index in 0..<studies {
            for record in maker.records(index) {
                let ticket = catalog.submit(
                    record, pack: Self.pack, byteOffset: record.sequence * 4096, studyKey: maker.studyKey(index))
                catalog.confirm(ticket)
                tickets.append(ticket)
            }
            if tickets.count >= Self.inFlightLimit {
                for ticket in tickets { _ = try catalog.outcome(of: ticket) }
                tickets.removeAll(keepingCapacity: true)
            }
            if (index + 1).isMultiple(of: 100_000) { report("\(index + 1) studies", since: begin, clock) }
        }
        try catalog.settle()
        while try catalog.completeStudies(quietSince: .max, at: 1_800_000_000_000) > 0 {}
        report("noted as complete", since: begin, clock)
        try catalog.close()
        report("closed", since: begin, clock)
    }

    private func report(_ text: String, since begin: ContinuousClock.Instant, _ clock: ContinuousClock) {
        print("\(text): \((clock.now - begin).components.seconds) s")
    }
}
