import Synchronization

/// The service's instruments and their Prometheus text form.
///
/// Labels come from closed sets named in code (a DIMSE verb, a status class, a peer's configured AE title); no value
/// out of a dataset may become one.
public final class Registry: Sendable {
    private struct Family {
        var help: String
        var kind: String
        var series: [(labels: String, instrument: any Instrument)]
    }

    private let families = Mutex<[String: Family]>([:])

    public init() {}

    /// A value that only grows.
    public func counter(_ name: String, help: String, labels: [String: String] = [:]) -> Counter {
        add(name, help, "counter", labels) { Counter() }
    }

    /// A value that goes up and down.
    public func gauge(_ name: String, help: String, labels: [String: String] = [:]) -> Gauge {
        add(name, help, "gauge", labels) { Gauge() }
    }

    /// A distribution of seconds over fixed buckets.
    public func histogram(_ name: String, help: String, labels: [String: String] = [:]) -> Histogram {
        add(name, help, "histogram", labels) { Histogram() }
    }

    private func add<I: Instrument>(
        _ name: String, _ help: String, _ kind: String, _ labels: [String: String], make: () -> I
    ) -> I {
        let text = labels.sorted { $0.key < $1.key }.map { "\($0.key)=\"\(escaped($0.value))\"" }
            .joined(separator: ",")
        return families.withLock { families in
            var family = families[name] ?? Family(help: help, kind: kind, series: [])
            if let held = family.series.first(where: { $0.labels == text })?.instrument as? I { return held }
            let made = make()
            family.series.append((text, made))
            families[name] = family
            return made
        }
    }

    private func escaped(_ value: String) -> String {
        var result = ""
        for character in value {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
        return result
    }

    /// The exposition format, version 0.0.4.
    public func exposition() -> String {
        families.withLock { families in
            var text = ""
            for (name, family) in families.sorted(by: { $0.key < $1.key }) {
                text += "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind)\n"
                for (labels, instrument) in family.series { instrument.write(name: name, labels: labels, to: &text) }
            }
            return text
        }
    }
}

/// One time series of a family.
protocol Instrument: AnyObject, Sendable {
    func write(name: String, labels: String, to text: inout String)
}
