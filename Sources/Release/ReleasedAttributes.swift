import Archive
import Catalog
import DICOM
import Deidentification
import Synchronization

/// What a search may show of an object: the attributes of every level, of its header de-identified alone.
struct ReleasedHeader: Sendable {
    var attributes: Dataset
    /// As far as de-identification lets them stay.
    var privates: PrivateAttributes

    /// About how many bytes it takes in memory.
    fileprivate var cost: Int {
        [attributes, privates.study, privates.series, privates.instance].reduce(0) { $0 + $1.cost }
    }
}

/// Attributes that were released lately, in memory: who searches asks for the same again and again.
///
/// By the number of the stored object, which is never used twice, and under one set of corrections.
final class ReleasedAttributes: Sendable {
    /// Bytes of each of two generations, what keeping them costs included: those of a search fit into one.
    static let byteCountLimit = 32 << 20

    private struct State {
        var young: [UInt64: ReleasedHeader] = [:]
        var old: [UInt64: ReleasedHeader] = [:]
        var byteCount = 0
        var corrections: [UInt64] = []
    }

    private let state = Mutex(State())

    func attributes(_ sequence: UInt64, _ corrections: [UInt64]) -> ReleasedHeader? {
        state.withLock { state in
            guard corrections == state.corrections else { return nil }
            if let found = state.young[sequence] { return found }
            guard let found = state.old[sequence] else { return nil }
            put(found, sequence, in: &state)
            return found
        }
    }

    func keep(_ attributes: ReleasedHeader, _ sequence: UInt64, _ corrections: [UInt64]) {
        state.withLock { state in
            if corrections != state.corrections { state = State(corrections: corrections) }
            put(attributes, sequence, in: &state)
        }
    }

    private func put(_ attributes: ReleasedHeader, _ sequence: UInt64, in state: inout State) {
        let cost = attributes.cost
        guard cost <= Self.byteCountLimit / 64, state.young[sequence] == nil else { return }
        if state.byteCount + cost > Self.byteCountLimit {
            (state.old, state.young, state.byteCount) = (state.young, [:], 0)
        }
        state.young[sequence] = attributes
        state.byteCount += cost
    }
}

extension Dataset {
    /// About how many bytes it takes in memory.
    fileprivate var cost: Int {
        elements.reduce(64) { sum, element in
            switch element.value {
            case .bytes(let bytes): sum + bytes.count + 96
            case .items(let items): items.reduce(sum + 96) { $0 + $1.cost }
            case .bulk, .fragments: sum + 64
            }
        }
    }
}

extension Release {
    /// What a search shows of an object: the attributes of every level, of its header de-identified alone.
    ///
    /// - Throws: `.quarantined` for what would not go out either, as far as the header tells.
    func attributes(of holding: Holding) throws -> ReleasedHeader {
        let corrections = archive.standingCorrections
        if let known = shown.attributes(holding.sequence, corrections) { return known }
        var header = try archive.shownHeader(of: archive.open(holding))
        do throws(DeidentificationError) { header = try deidentifier.released(header: header) } catch {
            if case .quarantined(let reason) = error { throw ReleaseError.quarantined(reason) }
            throw ReleaseError.archive(.damaged)
        }
        let privates = archive.privateAttributes.attributes(of: header)
        header.removeAll { !LevelAttributes.isSupported($0.tag) }
        let released = ReleasedHeader(attributes: header, privates: privates)
        // One that was made meanwhile may stand in it already.
        if archive.standingCorrections == corrections { shown.keep(released, holding.sequence, corrections) }
        return released
    }
}
