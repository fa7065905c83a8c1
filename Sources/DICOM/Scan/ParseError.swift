/// Why bytes were not read as a dataset. Offsets count from the first byte of the dataset, after inflating.
public enum ParseError: Error, Hashable, Sendable {
    /// Items are nested more deeply than the limit.
    case tooDeep(limit: Int, byteOffset: UInt64)
    /// Header values take more bytes than the limit.
    case headerTooLarge(limit: Int, byteOffset: UInt64)
    /// The dataset has more elements and items than the limit.
    case tooManyElements(limit: Int, byteOffset: UInt64)
    /// Pixel data has more fragments, or an offset table more entries, than the limit.
    case tooManyFragments(limit: Int, byteOffset: UInt64)
    /// A deflated dataset grows beyond the limit.
    case inflatedTooLarge(limit: UInt64, byteOffset: UInt64)
    /// A deflated dataset grows more than so many times, beyond what may.
    case inflatedTooMuch(ratio: UInt64, byteOffset: UInt64)
    /// The bytes end before something that must be complete.
    case truncated(byteOffset: UInt64)
    /// A length contradicts what surrounds it.
    case badLength(byteOffset: UInt64)
    /// The inflater could not be set up for lack of memory.
    case outOfMemory
}

extension ParseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .tooDeep(let limit, let offset):
            "items nested more than \(limit) deep at byte \(offset); raise the depth limit or repair the object"
        case .headerTooLarge(let limit, let offset):
            "header values take more than \(limit) bytes at byte \(offset); raise the header limit"
        case .tooManyElements(let limit, let offset):
            "more than \(limit) elements at byte \(offset); raise the element limit"
        case .tooManyFragments(let limit, let offset):
            "more than \(limit) pixel data fragments at byte \(offset); raise the fragment limit"
        case .inflatedTooLarge(let limit, let offset):
            "deflated dataset grows beyond \(limit) bytes at byte \(offset); send it uncompressed"
        case .inflatedTooMuch(let ratio, let offset):
            "deflated dataset grows more than \(ratio) times up to byte \(offset); send it uncompressed"
        case .truncated(let offset): "the bytes end too early at byte \(offset); send the object again"
        case .badLength(let offset): "a length at byte \(offset) contradicts its surroundings; repair the object"
        case .outOfMemory: "no memory to inflate the dataset; try again later"
        }
    }
}
