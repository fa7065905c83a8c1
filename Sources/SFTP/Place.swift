/// What a path means.
enum Place: Equatable {
    case root
    /// Where files are put; the path is below it.
    case incoming(FilePath)
    case shown(ShownPlace)

    static let incomingName = "incoming"
    static let studiesName = "studies"
    static let indexName = "index.csv"
    static let objectSuffix = ".dcm"

    /// Nil for what is nowhere.
    init?(_ path: FilePath) {
        guard let first = path.names.first else {
            self = .root
            return
        }
        switch first.text {
        case Self.incomingName: self = .incoming(FilePath(names: Array(path.names.dropFirst())))
        case Self.studiesName:
            guard let place = ShownPlace(path.names.dropFirst()) else { return nil }
            self = .shown(place)
        default: return nil
        }
    }
}

/// What may be fetched: studies, their series and objects, under names that say nothing of them.
public enum ShownPlace: Sendable, Hashable {
    case studies
    /// A table of the studies.
    case index
    case study(OpaqueName)
    case series(study: OpaqueName, OpaqueName)
    case object(study: OpaqueName, series: OpaqueName, OpaqueName)

    var isDirectory: Bool {
        switch self {
        case .studies, .study, .series: true
        case .index, .object: false
        }
    }

    init?(_ names: ArraySlice<FileName>) {
        if names.count == 1, names.first?.text == Place.indexName {
            self = .index
            return
        }
        var texts = names.map { $0.text ?? "" }
        if texts.count == 3 {
            guard let last = texts.popLast(), last.hasSuffix(Place.objectSuffix) else { return nil }
            texts.append(String(last.dropLast(Place.objectSuffix.count)))
        }
        var opaque: [OpaqueName] = []
        for text in texts {
            guard let name = OpaqueName(text) else { return nil }
            opaque.append(name)
        }
        switch opaque.count {
        case 0: self = .studies
        case 1: self = .study(opaque[0])
        case 2: self = .series(study: opaque[0], opaque[1])
        case 3: self = .object(study: opaque[0], series: opaque[1], opaque[2])
        default: return nil
        }
    }
}

extension FileEntry {
    /// The table of studies, as it lies in `studies`.
    public static let index = FileEntry(Place.indexName, .file(nil))
}

/// Sixteen hexadecimal digits, the same for the same thing.
public struct OpaqueName: Sendable, Hashable, CustomStringConvertible {
    public static let byteCount = 8

    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    /// - Returns: nil for what is not 16 of 0-9 and a-f.
    public init?(_ text: String) {
        let isName = text.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        guard text.utf8.count == 2 * Self.byteCount, isName, let value = UInt64(text, radix: 16) else { return nil }
        self.value = value
    }

    public var description: String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 2 * Self.byteCount - digits.utf8.count) + digits
    }

    public var directoryEntry: FileEntry { FileEntry(description, .directory) }

    public func objectEntry(_ byteCount: UInt64?) -> FileEntry {
        FileEntry(description + Place.objectSuffix, .file(byteCount))
    }
}
