import Foundation
import Glibc

/// What is being done, on one line of a terminal; silent in a pipe.
public struct Progress: Sendable {
    private let isTerminal: Bool

    public init() {
        isTerminal = isatty(STDERR_FILENO) == 1
    }

    func show(_ text: String) {
        guard isTerminal else { return }
        FileHandle.standardError.write(Data("\r\u{1B}[K\(text)".utf8))
    }

    func clear() {
        show("")
    }

    /// A line that stays, also in a pipe: for what changes the machine.
    func announce(_ text: String) {
        clear()
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }
}
