import Foundation
import HTTPTypes

/// How much of a processor's time making an answer took, as its header field says it, in milliseconds (W3C Server Timing).
enum ServerTiming {
    static let field = HTTPField.Name("Server-Timing") ?? .via
    private static let start = "chunk;dur="

    static func text(_ duration: Duration) -> String {
        start + String(format: "%.1f", duration / .milliseconds(1))
    }

    /// Nil for a field that says nothing of it, or what cannot be.
    static func duration(_ text: String) -> Duration? {
        guard text.hasPrefix(start), let value = Double(text.dropFirst(start.count)), (0..<1e6).contains(value) else {
            return nil
        }
        return .milliseconds(1) * value
    }
}
