/// Why the generator stopped.
public enum GeneratorError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A file could not be read.
    case unreadable(file: String)
    /// A file or folder could not be written.
    case unwritable(file: String)
    /// An argument lies outside its bounds.
    case outOfBounds(argument: String, from: Int, through: Int)

    public var description: String {
        switch self {
        case .unreadable(let file): "\(file) cannot be read: run `testimages generate` first"
        case .unwritable(let file): "\(file) cannot be written: check the folder's permissions and free space"
        case .outOfBounds(let argument, let lower, let upper): "\(argument) must be from \(lower) through \(upper)"
        }
    }
}
