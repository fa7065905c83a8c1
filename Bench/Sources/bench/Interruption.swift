import Benchmarking
import Foundation

/// Ctrl-C and SIGTERM end every process that was started and remove the run's directory before the benchmark ends.
final class Interruption {
    private let sources: [any DispatchSourceSignal]

    init(removing directory: String?) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                Children.killAll()
                NetworkNamespaces.removeAll()
                if let directory { try? FileManager.default.removeItem(atPath: directory) }
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }

    func end() {
        sources.forEach { $0.cancel() }
    }
}
