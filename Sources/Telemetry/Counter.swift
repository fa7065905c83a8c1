import Synchronization

/// A value that only grows. Safe from any thread; one atomic addition.
public final class Counter: Instrument {
    private let count = Atomic<UInt64>(0)

    public func add(_ amount: UInt64 = 1) { count.wrappingAdd(amount, ordering: .relaxed) }

    public var value: UInt64 { count.load(ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}

/// A value that goes up and down. Safe from any thread; one atomic operation.
public final class Gauge: Instrument {
    private let level = Atomic<Int64>(0)

    public func add(_ amount: Int64) { level.wrappingAdd(amount, ordering: .relaxed) }

    public func set(_ value: Int64) { level.store(value, ordering: .relaxed) }

    public var value: Int64 { level.load(ordering: .relaxed) }

    func write(name: String, labels: String, to text: inout String) {
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(labels)} \(value)\n"
    }
}
