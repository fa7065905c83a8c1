import Catalog
import Foundation

/// Fills a fresh data directory's catalogue with synthetic studies.
///
/// Records go through the catalogue's own writer, as if objects had been stored; there are no objects behind them, so
/// queries are answered and retrievals are not.
public enum Loader {
    /// Records on their way into the catalogue at a time.
    static let inFlightLimit = 1024
    /// The pack that the records name; no store reaches its number.
    static let pack = UInt32.max

    /// Why nothing was filled.
    public enum Failure: Error, CustomStringConvertible {
        case isThere
        case tooFew
        case catalog(CatalogError)
        case folder

        public var description: String {
            switch self {
            case .isThere: "there is a catalogue in that directory already: name a fresh one"
            case .tooFew: "\(Base.studyCount) studies or more"
            case .catalog(let error): error.description
            case .folder: "the directory cannot be made"
            }
        }
    }

    /// Blocks until every record is in the file.
    ///
    /// - Parameter progress: studies done, every ten thousand.
    public static func fill(
        _ directory: String, studies: Int, seed: UInt64, progress: (Int) -> Void = { _ in }
    ) throws(Failure) {
        guard studies >= Base.studyCount else { throw .tooFew }
        let path = directory + "/catalog.sqlite"
        if FileManager.default.fileExists(atPath: path) { throw .isThere }
        do {
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw .folder }
        do throws(CatalogError) {
            let catalog = try Catalog(path: path)
            try load(catalog, StudyMaker(seed: seed), studies, progress)
            // As if they had come some time ago.
            while try catalog.completeStudies(quietSince: .max, at: 1_800_000_000_000) > 0 {}
            try catalog.close()
        } catch { throw .catalog(error) }
    }

    private static func load(
        _ catalog: Catalog, _ maker: StudyMaker, _ studies: Int, _ progress: (Int) -> Void
    ) throws(CatalogError) {
        var tickets: [Ticket] = []
        for index in 0..<studies {
            for record in maker.records(index) {
                let ticket = catalog.submit(
                    record, pack: pack, byteOffset: record.sequence * 4096, studyKey: maker.studyKey(index))
                catalog.confirm(ticket)
                tickets.append(ticket)
            }
            if tickets.count >= inFlightLimit {
                for ticket in tickets { _ = try catalog.outcome(of: ticket) }
                tickets.removeAll(keepingCapacity: true)
            }
            if (index + 1).isMultiple(of: 10_000) { progress(index + 1) }
        }
        try catalog.settle()
    }
}
