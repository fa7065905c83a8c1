/// A set of attributes in ascending order of their tags. PS3.5 §7.
///
/// A value type: copies share storage until one changes. Looking an attribute up is a binary search.
public struct Dataset: Sendable {
    public private(set) var elements: [Element]

    public init() { elements = [] }

    /// Takes elements in any order; of two with one tag the first stays.
    public init(_ elements: [Element]) {
        self.init(scanned: elements)
    }

    /// Elements as they came from a stream, nearly always in order.
    init(scanned: [Element]) {
        elements = scanned
        let isOrdered = scanned.withUnsafeBufferPointer { buffer in
            var index = 1
            while index < buffer.count {
                if buffer[index - 1].tag >= buffer[index].tag { return false }
                index += 1
            }
            return true
        }
        if isOrdered { return }
        let order = scanned.indices.sorted { (scanned[$0].tag, $0) < (scanned[$1].tag, $1) }
        elements = []
        elements.reserveCapacity(scanned.count)
        for index in order where elements.last?.tag != scanned[index].tag { elements.append(scanned[index]) }
    }

    public var isEmpty: Bool { elements.isEmpty }
    public var count: Int { elements.count }

    /// The element with a tag. Setting nil removes it.
    public subscript(tag: Tag) -> Element? {
        get {
            let index = position(of: tag)
            return index < elements.count && elements[index].tag == tag ? elements[index] : nil
        }
        set {
            if let newValue { set(newValue) } else { remove(tag) }
        }
    }

    public func contains(_ tag: Tag) -> Bool {
        let index = position(of: tag)
        return index < elements.count && elements[index].tag == tag
    }

    /// The elements of one group, in their order.
    public func elements(ofGroup group: UInt16) -> ArraySlice<Element> {
        let start = position(of: Tag(group, 0))
        let end = group == .max ? elements.count : position(of: Tag(group + 1, 0))
        return elements[start..<end]
    }

    /// Where the tag is, or would be put.
    private func position(of tag: Tag) -> Int {
        elements.withUnsafeBufferPointer { buffer in
            var low = 0
            var high = buffer.count
            while low < high {
                let middle = (low + high) / 2
                if buffer[middle].tag < tag { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    /// Puts an element in, in place of one with its tag.
    public mutating func set(_ element: Element) {
        if elements.last.map({ $0.tag < element.tag }) ?? true {
            elements.append(element)
            return
        }
        let index = position(of: element.tag)
        if elements[index].tag == element.tag {
            elements[index] = element
        } else {
            elements.insert(element, at: index)
        }
    }

    /// Sets raw bytes: little endian; text as UTF-8.
    public mutating func set(_ tag: Tag, _ vr: VR, bytes: [UInt8]) { set(Element(tag, vr, .bytes(bytes))) }

    /// Sets one value of a string VR.
    public mutating func set(_ tag: Tag, _ vr: VR, string: String) { set(tag, vr, bytes: Array(string.utf8)) }

    /// Sets the values of a string VR; a number VR takes them as decimal numbers and leaves out what is none.
    public mutating func set(_ tag: Tag, _ vr: VR, strings: [String]) {
        if vr.isString || vr == .UN {
            set(tag, vr, bytes: Array(strings.joined(separator: "\\").utf8))
        } else {
            set(tag, vr, ints: strings.compactMap { Int($0) })
        }
    }

    /// Sets the values of a number VR from decimal text; empties it where one is no number of the VR's range.
    public mutating func set(_ tag: Tag, _ vr: VR, numbers: [String]) {
        let read = numbers.compactMap { BinaryNumber($0, vr) }
        var bytes: [UInt8] = []
        if read.count == numbers.count { for number in read { number.append(to: &bytes) } }
        set(tag, vr, bytes: bytes)
    }

    /// Sets numbers, as text for a string VR and in binary for a number VR, cut to its width.
    public mutating func set(_ tag: Tag, _ vr: VR, ints: [Int]) {
        if vr.isString { return set(tag, vr, strings: ints.map { String($0) }) }
        var bytes: [UInt8] = []
        for value in ints {
            switch vr {
            case .FL, .OF: Self.append(UInt64(Float(value).bitPattern), byteCount: 4, to: &bytes)
            case .FD, .OD: Self.append(Double(value).bitPattern, byteCount: 8, to: &bytes)
            case .AT:
                Self.append(UInt64(truncatingIfNeeded: value >> 16), byteCount: 2, to: &bytes)
                Self.append(UInt64(truncatingIfNeeded: value), byteCount: 2, to: &bytes)
            default: Self.append(UInt64(truncatingIfNeeded: value), byteCount: vr.unitByteCount, to: &bytes)
            }
        }
        set(tag, vr, bytes: bytes)
    }

    private static func append(_ value: UInt64, byteCount: Int, to bytes: inout [UInt8]) {
        for index in 0..<byteCount { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }

    /// Sets the items of a sequence.
    public mutating func set(_ tag: Tag, _ vr: VR = .SQ, items: [Dataset]) {
        set(Element(tag, vr, .items(items)))
    }

    public mutating func remove(_ tag: Tag) {
        let index = position(of: tag)
        if index < elements.count, elements[index].tag == tag { elements.remove(at: index) }
    }

    public mutating func removeAll(where shouldRemove: (Element) -> Bool) { elements.removeAll(where: shouldRemove) }

    /// Takes over every element of another dataset, which win over those here.
    public mutating func merge(_ other: Dataset) {
        if other.isEmpty { return }
        if isEmpty || elements[elements.count - 1].tag < other.elements[0].tag {
            elements += other.elements
            return
        }
        var result: [Element] = []
        result.reserveCapacity(elements.count + other.elements.count)
        var index = 0
        for theirs in other.elements {
            while index < elements.count, elements[index].tag < theirs.tag {
                result.append(elements[index])
                index += 1
            }
            if index < elements.count, elements[index].tag == theirs.tag { index += 1 }
            result.append(theirs)
        }
        result += elements[index...]
        elements = result
    }
}
