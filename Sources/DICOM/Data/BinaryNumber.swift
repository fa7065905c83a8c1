/// The value of a number VR, from decimal text. PS3.5 §6.2.
struct BinaryNumber {
    private let bits: UInt64
    private let byteCount: Int

    /// - Parameter takesWholeFractions: whether 5.0 and 1e3 are integers, as they are to JSON.
    /// - Returns: nil for what is no number of the VR's range, and for VRs that are no numbers.
    init?(_ text: String, _ vr: VR, takesWholeFractions: Bool = false) {
        func whole<Number: FixedWidthInteger>(_: Number.Type) -> (UInt64, Int)? {
            let found = Number(text) ?? (takesWholeFractions ? Double(text).flatMap { Number(exactly: $0) } : nil)
            return found.map { (UInt64(truncatingIfNeeded: $0), MemoryLayout<Number>.size) }
        }
        let found: (UInt64, Int)? =
            switch vr {
            case .US: whole(UInt16.self)
            case .SS: whole(Int16.self)
            case .UL: whole(UInt32.self)
            case .SL: whole(Int32.self)
            case .UV: whole(UInt64.self)
            case .SV: whole(Int64.self)
            case .FL: Float(text).map { (UInt64($0.bitPattern), 4) }
            case .FD: Double(text).map { ($0.bitPattern, 8) }
            default: nil
            }
        guard let found else { return nil }
        (bits, byteCount) = found
    }

    init(bits: UInt64, byteCount: Int) {
        self.bits = bits
        self.byteCount = byteCount
    }

    /// In little endian.
    func append(to bytes: inout [UInt8]) {
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> (8 * UInt64(index)))) }
    }
}
