/// Something that reads outside input, and what must hold whatever the input is.
public struct FuzzTarget: Sendable {
    /// Also the name of the folder with its kept cases.
    public let name: String
    /// Bytes up to which inputs are made.
    public let byteCountLimit: Int
    /// Inputs to begin with.
    public let seeds: @Sendable (_ images: SeedImages) -> [[UInt8]]
    /// Reads one input; throws `BrokenProperty` when something does not hold.
    public let run: @Sendable (_ input: [UInt8]) throws -> Void

    init(
        _ name: String, byteCountLimit: Int = 8192, seeds: @escaping @Sendable (_ images: SeedImages) -> [[UInt8]],
        run: @escaping @Sendable (_ input: [UInt8]) throws -> Void
    ) {
        self.name = name
        self.byteCountLimit = byteCountLimit
        self.seeds = seeds
        self.run = run
    }

    public static let all: [FuzzTarget] = [
        .scan, .dataset, .part10, .layout, .rewrite, .json, .text, .command, .commitment, .query, .acceptor, .requester,
        .name, .token, .record, .blob, .control, .frame, .stream, .multipart, .webQuery, .jsonModel, .xmlModel,
        .deidentify, .sftp,
    ]
}

/// What must hold and does not, in words.
public struct BrokenProperty: Error, CustomStringConvertible {
    public let description: String
}

/// Throws unless something holds.
func require(_ holds: Bool, _ what: String) throws {
    if !holds { throw BrokenProperty(description: what) }
}

/// Takes choices off the front of an input.
struct InputReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ input: [UInt8]) { rest = input[...] }

    /// The next byte; 0 when there is none.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    mutating func choice<T>(_ options: [T]) -> T { options[Int(byte()) % options.count] }

    /// As many bytes as the next two say, or as there are.
    mutating func block() -> [UInt8] {
        let count = Int(byte()) << 8 | Int(byte())
        let block = Array(rest.prefix(count))
        rest = rest.dropFirst(count)
        return block
    }
}

/// Writes what `InputReader.block` reads.
func block(_ bytes: [UInt8]) -> [UInt8] {
    [UInt8(truncatingIfNeeded: bytes.count >> 8), UInt8(truncatingIfNeeded: bytes.count)] + bytes
}

/// Cuts bytes into pieces of sizes that follow from a seed: from 1 on, mostly short.
func pieces(_ bytes: ArraySlice<UInt8>, seed: UInt8) -> [ArraySlice<UInt8>] {
    var result: [ArraySlice<UInt8>] = []
    var rest = bytes
    var state = UInt32(seed) &* 2_654_435_761 | 1
    while !rest.isEmpty {
        state = state &* 1_664_525 &+ 1_013_904_223
        let bound: UInt32 = state >> 30 == 0 ? 1000 : 12
        let count = Int(1 + (state >> 8) % bound)
        result.append(rest.prefix(count))
        rest = rest.dropFirst(count)
    }
    return result
}
