import Foundation
import Glibc

/// One line on the terminal that is written over as work goes on; nothing at all when the output is no terminal.
struct ProgressLine {
    /// Time between two drawings.
    private static let interval = Duration.milliseconds(100)

    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var last = ContinuousClock.now
    private var isDrawn = false

    mutating func show(_ text: @autoclosure () -> String) {
        guard isTerminal, last.duration(to: .now) >= Self.interval else { return }
        last = .now
        isDrawn = true
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text())".utf8))
    }

    mutating func show(done: Int, total: Int, _ what: String) {
        show(total > 0 ? "\(what): \(done) of \(total) (\(done * 100 / total) %)" : "\(what): \(done)")
    }

    /// Clears the line, so that a result stands alone.
    mutating func end() {
        guard isDrawn else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
        isDrawn = false
    }
}
