import Foundation

/// Why the benchmark, or one lane of it, could not go on: what, where and what to do.
public enum BenchError: Error, Equatable, Sendable {
    /// Tools are not installed and cannot be installed from here.
    case missing(tools: [String], packages: [String])
    /// The built service is not where it was looked for.
    case noHuizhen(path: String)
    /// A program of the benchmark's own has not been built.
    case notBuilt(program: String, how: String)
    /// The run's directory lies on a file system that keeps nothing on a disk.
    case notOnDisk(path: String, fileSystem: String)
    /// The disk has too little room for the rows asked for.
    case tooLittleSpace(path: String, neededByteCount: Int, freeByteCount: Int)
    /// The machine has too little memory for what a contestant is known to take.
    case tooLittleMemory(neededByteCount: Int, freeByteCount: Int)
    /// A system call on a file, socket or process failed.
    case system(call: String, on: String, code: Int32)
    /// A process ended with a status that is not zero.
    case failed(process: String, status: Int32, lastWords: String)
    /// A process was still running at its bound and has been ended.
    case timedOut(process: String, seconds: Int)
    /// A server did not answer C-ECHO within its bound.
    case notReady(server: String, lastWords: String)
    /// Work reported as done left fewer results than it should have.
    case incomplete(work: String, expected: Int, found: Int)
    /// A given series cannot be used as test data.
    case unusableSeries(reason: String)
    /// An option is out of its range.
    case badOption(String)
}

extension BenchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .missing(let tools, let packages):
            "not installed: \(tools.joined(separator: ", ")). Install: apt-get install \(packages.joined(separator: " "))"
        case .noHuizhen(let path):
            "no service at \(path). Build it: swift build -c release --product huizhen, or name it with --huizhen"
        case .notBuilt(let program, let how):
            "\(program) is not built. Build it: \(how)"
        case .notOnDisk(let path, let fileSystem):
            "\(path) lies on \(fileSystem), where a sync means nothing. Name a directory on a disk with --directory"
        case .tooLittleSpace(let path, let needed, let free):
            "\(path) has \(free >> 20) MiB free and the run needs \(needed >> 20) MiB. "
                + "Free some, or use --only, --quick or --directory"
        case .tooLittleMemory(let needed, let free):
            "left out: \(needed >> 20) MiB of memory may be needed and \(free >> 20) MiB are free"
        case .system(let call, let on, let code):
            "\(call) on \(on): \(String(cString: strerror(code)))"
        case .failed(let process, let status, let lastWords):
            "\(process) ended with status \(status)" + (lastWords.isEmpty ? "" : ": \(lastWords)")
        case .timedOut(let process, let seconds):
            "\(process) had not finished after \(seconds) s and was ended"
        case .notReady(let server, let lastWords):
            "\(server) did not answer C-ECHO in time" + (lastWords.isEmpty ? "" : ": \(lastWords)")
        case .incomplete(let work, let expected, let found):
            "\(work): \(found) of \(expected) results"
        case .unusableSeries(let reason):
            "the given series cannot be used: \(reason)"
        case .badOption(let what):
            what
        }
    }
}
