import ArgumentParser
import Foundation

/// How a command prints its result.
struct OutputOptions: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    /// Prints `value` as JSON, or `text` for people.
    func show(_ value: some Encodable, _ text: @autoclosure () -> String) throws {
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(value), as: UTF8.self))
        } else {
            let text = harmlessLines(text())
            if !text.isEmpty { print(text) }
        }
    }
}

/// A table with aligned columns.
func table(_ head: [String], _ rows: [[String]]) -> String {
    let rows = rows.map { $0.map(harmless) }
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    return ([head] + rows).map { row in
        row.indices.map { column in
            column == row.count - 1
                ? row[column] : row[column].padding(toLength: widths[column] + 2, withPad: " ", startingAt: 0)
        }.joined()
    }.joined(separator: "\n")
}

/// Text of somebody else, on one line: it must not steer a terminal.
func harmless(_ text: String) -> String { replacingControls(in: text, keepingLines: false) }

/// The same for lines of our own with text of others in them.
func harmlessLines(_ text: String) -> String { replacingControls(in: text, keepingLines: true) }

private func replacingControls(in text: String, keepingLines: Bool) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 10 where keepingLines: result.append(scalar)
        // Controls, ends of lines, and what turns the order of writing round.
        case 0..<32, 127..<160, 0x2028...0x202E, 0x2066...0x2069: result.append(" ")
        default: result.append(scalar)
        }
    }
    return String(result)
}

/// Bytes for people.
func readable(_ byteCount: UInt64) -> String {
    let units = ["bytes", "kB", "MB", "GB", "TB"]
    var value = Double(byteCount)
    var unit = 0
    while value >= 1000, unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    return unit == 0 ? "\(byteCount) bytes" : "\(String(format: "%.1f", value)) \(units[unit])"
}

/// A failure with an exit code of its own: 1 something failed, 2 the service or peer cannot be reached, 3 partly done.
struct CommandFailure: Error, CustomStringConvertible {
    var code: Int32
    var description: String

    /// Prints the sentence and ends with the code.
    static func end(_ code: Int32, _ text: String) -> any Error {
        FileHandle.standardError.write(Data(("huizhen: " + text + "\n").utf8))
        return ExitCode(code)
    }
}
