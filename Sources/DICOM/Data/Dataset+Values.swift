/// Values as Swift types.
extension Dataset {
    /// The items of a sequence; empty if there is none.
    public func items(_ tag: Tag) -> [Dataset] {
        if case .items(let items) = self[tag]?.value { items } else { [] }
    }

    /// The held bytes of a value; nil when it is absent, a sequence or not held.
    public func bytes(_ tag: Tag) -> [UInt8]? {
        if case .bytes(let bytes) = self[tag]?.value { bytes } else { nil }
    }

    /// The first value without padding; empty when it is empty, nil when it is absent, a sequence or not held.
    public func string(_ tag: Tag) -> String? {
        guard let element = self[tag], case .bytes(let bytes) = element.value else { return nil }
        guard element.vr.isString || element.vr == .UN else { return element.numberText(at: 0) ?? "" }
        return bytes.withUnsafeBytes { buffer in
            var end = buffer.count
            if element.vr.hasSeveralValues, let backslash = buffer.firstIndex(of: UInt8(ascii: "\\")) {
                end = backslash
            }
            return Padding.text(UnsafeRawBufferPointer(rebasing: buffer[..<end]), vr: element.vr)
        }
    }

    /// Every value without padding; an empty value between backslashes is an empty string.
    public func strings(_ tag: Tag) -> [String] {
        guard let element = self[tag], case .bytes(let bytes) = element.value, !bytes.isEmpty else { return [] }
        guard element.vr.isString || element.vr == .UN else {
            return (0..<element.numberCount).compactMap { element.numberText(at: $0) }
        }
        return bytes.withUnsafeBytes { buffer in
            guard element.vr.hasSeveralValues else { return [Padding.text(buffer, vr: element.vr)] }
            var result: [String] = []
            var start = 0
            for index in 0...buffer.count where index == buffer.count || buffer[index] == UInt8(ascii: "\\") {
                result.append(Padding.text(UnsafeRawBufferPointer(rebasing: buffer[start..<index]), vr: element.vr))
                start = index + 1
            }
            return result
        }
    }

    /// The first value as an integer, from text or binary; nil when it is none.
    public func int(_ tag: Tag) -> Int? {
        guard let element = self[tag], case .bytes = element.value else { return nil }
        if element.vr.isString || element.vr == .UN { return string(tag).flatMap { Self.integer($0) } }
        return element.integer(at: 0)
    }

    /// The values that are integers.
    public func ints(_ tag: Tag) -> [Int] {
        guard let element = self[tag], case .bytes = element.value else { return [] }
        if element.vr.isString || element.vr == .UN { return strings(tag).compactMap { Self.integer($0) } }
        return (0..<element.numberCount).compactMap { element.integer(at: $0) }
    }

    public func uint16(_ tag: Tag) -> UInt16? { int(tag).flatMap { UInt16(exactly: $0) } }

    /// The first value as a floating-point number, from text or binary.
    public func double(_ tag: Tag) -> Double? { doubles(tag).first }

    /// The values that are numbers.
    public func doubles(_ tag: Tag) -> [Double] {
        guard let element = self[tag], case .bytes = element.value else { return [] }
        if element.vr.isString || element.vr == .UN { return strings(tag).compactMap { Double($0) } }
        return (0..<element.numberCount).compactMap { element.double(at: $0) }
    }

    /// IS, and DS when it is whole: some devices write "512.0".
    private static func integer(_ text: String) -> Int? {
        if let value = Int(text) { return value }
        return Double(text).flatMap { Int(exactly: $0) }
    }
}

extension Element {
    /// How many binary numbers the value holds.
    var numberCount: Int {
        guard case .bytes(let bytes) = value else { return 0 }
        return bytes.count / numberByteCount
    }

    private var numberByteCount: Int { vr == .AT ? 4 : vr.unitByteCount }

    /// The number's bits, zero-extended. Callers keep `index` below `numberCount`.
    func bits(at index: Int) -> UInt64 {
        guard case .bytes(let bytes) = value else { return 0 }
        let width = numberByteCount
        var result: UInt64 = 0
        for offset in 0..<width { result |= UInt64(bytes[index * width + offset]) << (8 * UInt64(offset)) }
        return result
    }

    func integer(at index: Int) -> Int? {
        guard index < numberCount else { return nil }
        let bits = bits(at: index)
        return switch vr {
        case .SS: Int(Int16(truncatingIfNeeded: bits))
        case .SL: Int(Int32(truncatingIfNeeded: bits))
        case .SV: Int(Int64(bitPattern: bits))
        case .AT: Int((bits & 0xFFFF) << 16 | bits >> 16)
        case .FL, .OF, .FD, .OD: double(at: index).flatMap { Int(exactly: $0) }
        default: Int(exactly: bits)
        }
    }

    func double(at index: Int) -> Double? {
        guard index < numberCount else { return nil }
        let bits = bits(at: index)
        return switch vr {
        case .FL, .OF: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
        case .FD, .OD: Double(bitPattern: bits)
        case .UV, .OV: Double(bits)
        default: integer(at: index).map { Double($0) }
        }
    }

    func numberText(at index: Int) -> String? {
        guard index < numberCount else { return nil }
        return switch vr {
        case .FL, .OF: Float(bitPattern: UInt32(truncatingIfNeeded: bits(at: index))).description
        case .FD, .OD: Double(bitPattern: bits(at: index)).description
        case .UV, .OV: bits(at: index).description
        case .AT: integer(at: index).map { Tag(UInt32($0)).hex }
        default: integer(at: index).map { String($0) }
        }
    }
}

extension [UInt8] {
    /// A text's bytes without the spaces and NULs behind it. PS3.5 §6.2.
    public var withoutTrailingPadding: ArraySlice<UInt8> { withUnsafeBytes { self[..<Padding.trimmedCount($0)] } }
}

/// Padding that is not part of a value. PS3.5 §6.2.
enum Padding {
    /// A value's characters: trailing spaces and NULs off, leading spaces too where they are not significant.
    static func text(_ buffer: UnsafeRawBufferPointer, vr: VR) -> String {
        String(decoding: trimmed(buffer, vr: vr), as: UTF8.self)
    }

    static func trimmed(_ buffer: UnsafeRawBufferPointer, vr: VR) -> UnsafeRawBufferPointer {
        var start = 0
        var end = trimmedCount(buffer)
        switch vr {
        case .LT, .ST, .UT, .UC, .PN: break
        default: while start < end, buffer[start] == 0x20 { start += 1 }
        }
        if end < start { end = start }
        return UnsafeRawBufferPointer(rebasing: buffer[start..<end])
    }

    /// The count without trailing spaces and NULs.
    @inline(__always)
    static func trimmedCount(_ buffer: UnsafeRawBufferPointer) -> Int {
        var end = buffer.count
        while end > 0, buffer[end - 1] == 0x20 || buffer[end - 1] == 0 { end -= 1 }
        return end
    }
}
