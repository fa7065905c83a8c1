import Catalog
import DICOM
import Foundation
import Keys

/// The same catalogue twice: in clear, and sealed.
public final class CatalogPair: Sendable {
    public enum Failure: Error, CustomStringConvertible {
        case catalog(CatalogError)
        case keys(KeyError)
        case files
        case query

        public var description: String {
            switch self {
            case .catalog(let error): "\(error)"
            case .keys(let error): "\(error)"
            case .files: "the catalogue cannot be copied"
            case .query: "a query cannot be read"
            }
        }
    }

    private let clear: Catalog
    private let sealed: Catalog
    /// Bytes of the files.
    public let byteCounts: (clear: Int, sealed: Int)
    /// Seconds that sealing what was in clear took.
    public let sealingTime: Double

    /// - Parameters:
    ///   - filled: a directory that `Loader` filled; it stays as it is.
    ///   - directory: where the two are put.
    public init(filled: String, in directory: String) throws(Failure) {
        let paths = (clear: directory + "/clear.sqlite", sealed: directory + "/sealed.sqlite")
        do {
            for path in [paths.clear, paths.sealed] {
                try FileManager.default.copyItem(atPath: filled + "/catalog.sqlite", toPath: path)
            }
        } catch { throw .files }
        let key: SymmetricKey
        do throws(KeyError) { key = try .random() } catch { throw .keys(error) }
        do throws(CatalogError) {
            clear = try Catalog(path: paths.clear)
            let clock = ContinuousClock()
            let start = clock.now
            sealed = try Catalog(path: paths.sealed, key: key)
            sealingTime = Double((clock.now - start) / .milliseconds(1)) / 1000
        } catch { throw .catalog(error) }
        func size(_ path: String) -> Int {
            (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int).flatMap(\.self) ?? 0
        }
        byteCounts = (size(paths.clear), size(paths.sealed))
    }

    /// Asks one of the two for studies.
    ///
    /// - Parameter identifier: of a C-FIND, implicit VR little endian, in UTF-8.
    /// - Returns: milliseconds taken, and matches.
    public func search(_ identifier: Data, isSealed: Bool) throws(Failure) -> (milliseconds: Double, matches: Int) {
        let keys: Dataset
        do throws(ParseError) {
            keys = try Dataset.parse([UInt8](identifier), transferSyntax: .implicitVRLittleEndian)
        } catch { throw .query }
        var matches = 0
        let clock = ContinuousClock()
        let start = clock.now
        do throws(CatalogError) {
            try (isSealed ? sealed : clear).find(Query(level: .study, keys: keys, visibility: .everything)) { _ in
                matches += 1
                return true
            }
        } catch { throw .catalog(error) }
        return ((clock.now - start) / .milliseconds(1), matches)
    }

    public func close() {
        try? clear.close()
        try? sealed.close()
    }
}
