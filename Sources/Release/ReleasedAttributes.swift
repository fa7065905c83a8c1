import Archive
import Catalog
import DICOM
import Deidentification
import Synchronization

/// Attributes that were released lately, in memory: who searches asks for the same again and again.
///
/// By the number of the stored object, which is never used twice, and under one set of corrections.
final class ReleasedAttributes: Sendable {
    /// Objects of each of two generations.
    static let countLimit = 2_048

    private struct State {
        var young: [UInt64: Dataset] = [:]
        var old: [UInt64: Dataset] = [:]
        var corrections: [UInt64] = []
    }

    private let state = Mutex(State())

    func attributes(_ sequence: UInt64, _ corrections: [UInt64]) -> Dataset? {
        state.withLock { state in
            guard corrections == state.corrections else { return nil }
            if let found = state.young[sequence] { return found }
            guard let found = state.old[sequence] else { return nil }
            put(found, sequence, in: &state)
            return found
        }
    }

    func keep(_ attributes: Dataset, _ sequence: UInt64, _ corrections: [UInt64]) {
        state.withLock { state in
            if corrections != state.corrections { state = State(corrections: corrections) }
            put(attributes, sequence, in: &state)
        }
    }

    private func put(_ attributes: Dataset, _ sequence: UInt64, in state: inout State) {
        if state.young.count >= Self.countLimit { (state.old, state.young) = (state.young, [:]) }
        state.young[sequence] = attributes
    }
}

extension Release {
    /// What a search shows of an object: the attributes of every level, of its header de-identified alone.
    ///
    /// - Throws: `.quarantined` for what would not go out either, as far as the header tells.
    func attributes(of holding: Holding) throws -> Dataset {
        let corrections = archive.standingCorrections
        if let known = shown.attributes(holding.sequence, corrections) { return known }
        var header = try archive.shownHeader(of: archive.open(holding))
        do throws(DeidentificationError) { header = try deidentifier.released(header: header) } catch {
            if case .quarantined(let reason) = error { throw ReleaseError.quarantined(reason) }
            throw ReleaseError.archive(.damaged)
        }
        header.removeAll { !LevelAttributes.isSupported($0.tag) }
        shown.keep(header, holding.sequence, corrections)
        return header
    }
}
