import Synchronization

/// Tells at once which SOP Instance UIDs are certainly not held; of those that are, it misses none.
///
/// A Bloom filter: sixteen bits and eight probes for each UID, about one false alarm in two thousand, which costs a look
/// into the tables and nothing else; 4 MB for two million UIDs. It grows by further filters of twice the size.
final class HeldFilter: Sendable {
    private struct Layer {
        var words: [UInt64]
        var count = 0
        let capacity: Int

        init(capacity: Int) {
            self.capacity = capacity
            words = [UInt64](repeating: 0, count: capacity * HeldFilter.bitsPerUID / 64 + 1)
        }

        mutating func insert(_ hash: (UInt64, UInt64)) {
            count += 1
            for probe in 0..<HeldFilter.probeCount {
                let bit = position(hash, probe)
                words[bit >> 6] |= 1 << UInt64(bit & 63)
            }
        }

        func contains(_ hash: (UInt64, UInt64)) -> Bool {
            (0..<HeldFilter.probeCount).allSatisfy { probe in
                let bit = position(hash, probe)
                return words[bit >> 6] & (1 << UInt64(bit & 63)) != 0
            }
        }

        private func position(_ hash: (UInt64, UInt64), _ probe: Int) -> Int {
            Int((hash.0 &+ UInt64(probe) &* hash.1) % UInt64(words.count * 64))
        }
    }

    private static let bitsPerUID = 16
    private static let probeCount = 8
    /// UIDs of the first layer at least: 256 KB.
    static let firstCapacity = 131_072

    private let layers: Mutex<[Layer]>

    /// - Parameter expected: UIDs that come at once; the first layer has room for as many again.
    init(expecting expected: Int = 0) { layers = Mutex([Layer(capacity: max(Self.firstCapacity, expected * 2))]) }

    func insert(_ uid: String) {
        let hash = Self.hash(uid)
        layers.withLock { layers in
            let last = layers.count - 1
            if layers[last].count >= layers[last].capacity {
                layers.append(Layer(capacity: layers[last].capacity * 2))
            }
            layers[layers.count - 1].insert(hash)
        }
    }

    /// How often it has grown, and once.
    var layerCount: Int { layers.withLock(\.count) }

    func mayContain(_ uid: String) -> Bool {
        let hash = Self.hash(uid)
        return layers.withLock { layers in layers.contains { $0.contains(hash) } }
    }

    /// Two hashes that senders cannot steer: Swift seeds its hasher anew for every process.
    private static func hash(_ uid: String) -> (UInt64, UInt64) {
        var first = Hasher()
        first.combine(uid)
        var second = first
        second.combine(1)
        return (UInt64(bitPattern: Int64(first.finalize())), UInt64(bitPattern: Int64(second.finalize())) | 1)
    }
}
