import Access
import Foundation
import Glibc
import Logging

/// The operator's account that a first start makes, and the way its one-time password goes.
enum FirstAccount {
    enum Failure: Error, CustomStringConvertible {
        case cannotWrite(String, Int32)

        var description: String {
            switch self {
            case .cannotWrite(let path, let number):
                "the first one-time password cannot be written to \(path): \(String(cString: strerror(number)))"
            }
        }
    }

    static func file(in dataDirectory: String) -> String { dataDirectory + "/first-password" }

    /// Makes the account if there is none. The password goes to a terminal, or else to a file that only its owner can read.
    static func make(_ accounts: Accounts, institution: String, dataDirectory: String, logger: Logger) throws {
        let path = file(in: dataDirectory)
        let isTerminal = isatty(STDERR_FILENO) == 1
        var password = ""
        let isMade = try accounts.makeFirst(institution: institution) {
            password = $0
            if !isTerminal { try write(Array(($0 + "\n").utf8), to: path) }
        }
        guard isMade else { return }
        if isTerminal {
            let text = "\nFirst start: sign in as \(Accounts.firstName) with the one-time password \(password)\n\n"
            FileHandle.standardError.write(Data(text.utf8))
        } else {
            logger.notice(
                "first start: the operator's one-time password is in a file, removed at its first use",
                metadata: ["account": "\(Accounts.firstName)", "file": "\(path)"])
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        // One that an interrupted first start left is of no account.
        unlink(path)
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .cannotWrite(path, errno) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw .cannotWrite(path, errno)
        }
    }
}
