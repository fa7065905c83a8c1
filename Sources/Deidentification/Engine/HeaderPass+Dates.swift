import DICOM

/// Dates and times: they stay, are moved, or were left to other rules. PS3.15 §E.3.6.
extension HeaderPass {
    func dated(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) -> Element? {
        if !bytes.contains(0x5C) {
            let value = Array(Self.trimmed(bytes[...]))
            guard let result = dated(value, element.vr, ruling) else { return without(element, ruling) }
            return result == value ? element : moved(element, ruling, result)
        }
        var isMoved = false
        var values: [[UInt8]] = []
        for value in bytes.split(separator: 0x5C, omittingEmptySubsequences: false) {
            let value = Array(Self.trimmed(value))
            guard let result = dated(value, element.vr, ruling) else { return without(element, ruling) }
            if result != value { isMoved = true }
            values.append(result)
        }
        return isMoved ? moved(element, ruling, Array(values.joined(separator: [0x5C]))) : element
    }

    private func moved(_ element: Element, _ ruling: Ruling, _ bytes: [UInt8]) -> Element {
        note(element, ruling.rule, .shift)
        return Element(element.tag, element.vr, .bytes(bytes))
    }

    /// One value; nil when it is none, or cannot be moved.
    private func dated(_ value: [UInt8], _ vr: VR, _ ruling: Ruling) -> [UInt8]? {
        if value.isEmpty { return value }
        let shift = ruling.action == .shift ? self.shift : nil
        switch vr {
        case .TM: return ValueCheck.isTime(value) ? value : nil
        case .DA:
            guard let day = ValueCheck.day(value) else { return nil }
            guard let shift else { return value }
            return shift.mapped(day)?.digits
        default:
            guard let moment = ValueCheck.DateTime(value) else { return nil }
            guard let shift else { return value }
            // A year or month alone cannot be moved by days.
            guard let day = moment.day, let moved = shift.mapped(day) else { return nil }
            return moved.digits + moment.rest
        }
    }

    /// (0008,0201) Timezone Offset From UTC.
    func zone(_ element: Element, _ bytes: [UInt8], _ ruling: Ruling) -> Element? {
        ValueCheck.isZone(Array(Self.trimmed(bytes[...]))) ? element : without(element, ruling)
    }
}
