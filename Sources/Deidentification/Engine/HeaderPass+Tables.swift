import DICOM

/// Tables and samples whose length the attributes beside them say: what goes beyond it could be anything.
extension HeaderPass {
    /// The element without bytes that nobody reads.
    func withoutSurplus(_ element: Element, in source: Dataset) -> Element {
        guard case .bytes(let bytes) = element.value,
            let count = Self.byteCount(of: element.tag, in: source, given: bytes.count), count < bytes.count
        else { return element }
        note(element, .beside, .clean)
        return Element(element.tag, element.vr, .bytes(Array(bytes[..<count])))
    }

    private static func byteCount(of tag: Tag, in source: Dataset, given: Int) -> Int? {
        switch tag.rawValue {
        // Palettes and lookup tables by their descriptors. PS3.3 §C.7.6.3.1.5, §C.11.1.1.
        case 0x0028_1201...0x0028_1204: tableByteCount(source.ints(Tag(tag.rawValue - 0x100)), given)
        case 0x0028_3006: tableByteCount(source.ints(Tag(0x0028_3002)), given)
        case Tag.waveformData.rawValue: waveformByteCount(source)
        default: nil
        }
    }

    /// - Parameter descriptor: number of entries, zero for 65,536; first value; bits of each.
    private static func tableByteCount(_ descriptor: [Int], _ given: Int) -> Int? {
        guard descriptor.count == 3 else { return nil }
        let entries = descriptor[0] == 0 ? 65_536 : descriptor[0] & 0xFFFF
        // Entries of eight bits have a byte each, or as long ago a word.
        return descriptor[2] > 8 || given >= 2 * entries ? 2 * entries : entries + entries % 2
    }

    /// PS3.3 §C.10.9.
    private static func waveformByteCount(_ group: Dataset) -> Int? {
        guard let channels = group.int(.numberOfWaveformChannels), let samples = group.int(.numberOfWaveformSamples),
            let bits = group.int(Tag(0x5400_1004)), (1...0xFFFF).contains(channels), samples >= 0,
            [8, 16, 32, 64].contains(bits)
        else { return nil }
        let (count, isTooMany) = (channels * bits / 8).multipliedReportingOverflow(by: samples)
        return isTooMany ? nil : count + count % 2
    }
}
