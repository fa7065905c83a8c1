import DICOM

/// How the frames of encapsulated pixel data are found among its fragments. PS3.5 §A.4.
enum FrameBounds: Equatable {
    /// There is one, which all fragments make.
    case oneFrame
    /// Each begins where a table says, counted from the first fragment's tag.
    case table(Set<UInt64>)
    /// Each begins with a fragment whose first bytes begin a picture.
    case marks
    /// Each is a fragment.
    case fragments

    /// Bytes that tell whether a picture begins.
    static let markByteCount = 4

    /// A table that cannot be one of this many frames is none: that of frames beyond 4 GiB begins anew.
    ///
    /// - Parameters:
    ///   - offsets: the Basic Offset Table, which may be empty.
    ///   - header: holds the Extended Offset Table where there is one. PS3.3 §C.7.6.3.1.8.
    init(_ offsets: [UInt32], header: Dataset, frameCount: Int, _ syntax: TransferSyntax) {
        let extended = Self.numbers(header.bytes(.extendedOffsetTable) ?? [])
        if let starts = Self.starts(extended, frameCount) ?? Self.starts(offsets.map { UInt64($0) }, frameCount) {
            self = .table(starts)
        } else if frameCount == 1 {
            self = .oneFrame
        } else {
            self = FrameCleaner.hasMarks(syntax) ? .marks : .fragments
        }
    }

    private static func starts(_ offsets: [UInt64], _ frameCount: Int) -> Set<UInt64>? {
        guard offsets.count == frameCount, offsets[0] == 0, zip(offsets, offsets.dropFirst()).allSatisfy(<) else {
            return nil
        }
        return Set(offsets)
    }

    private static func numbers(_ bytes: [UInt8]) -> [UInt64] {
        (0..<bytes.count / 8).map { index in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[8 * index + $1]) << UInt64(8 * $1) }
        }
    }

    /// Whether a picture begins so: JPEG and JPEG-LS, a codestream of JPEG 2000 or a file with one.
    static func isMark(_ bytes: [UInt8]) -> Bool {
        bytes.starts(with: [0xFF, 0xD8, 0xFF]) || bytes == [0xFF, 0x4F, 0xFF, 0x51] || bytes == [0, 0, 0, 12]
    }
}
