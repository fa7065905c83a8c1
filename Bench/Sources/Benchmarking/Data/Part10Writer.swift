import Foundation

/// Writes a Part 10 header in Explicit VR Little Endian and remembers where the UIDs that change lie (PS3.10 §7.1).
struct Part10Writer {
    static let explicitVRLittleEndian = "1.2.840.10008.1.2.1"

    /// Where, in the file, each UID that is renewed before every round begins.
    struct Places: Equatable {
        var study: Int?
        var series: Int?
        /// In the file meta information and in the dataset.
        var instance: [Int] = []
    }

    private(set) var bytes = Data(repeating: 0, count: 128) + Data("DICM".utf8)
    private(set) var places = Places()

    init(
        sopClass: String, identity: StudyIdentity, index: Int,
        transferSyntax: String = Part10Writer.explicitVRLittleEndian
    ) {
        let instance = identity.instance(index)
        var meta = Part10Writer(empty: ())
        meta.long(0x0002, 0x0001, "OB", Data([0, 1]))
        meta.uid(0x0002, 0x0002, sopClass)
        meta.uid(0x0002, 0x0003, instance)
        meta.uid(0x0002, 0x0010, transferSyntax)
        meta.uid(0x0002, 0x0012, "2.25.100000000000000000000000000000000000001")
        short(0x0002, 0x0000, "UL", Data(littleEndian: UInt32(meta.bytes.count)))
        let start = bytes.count
        bytes += meta.bytes
        places.instance = meta.places.instance.map { $0 + start }
    }

    private init(empty: Void) {
        bytes = Data()
    }

    mutating func text(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: String) {
        var data = Data(value.utf8)
        if !data.count.isMultiple(of: 2) { data.append(0x20) }
        short(group, element, vr, data)
    }

    mutating func uid(_ group: UInt16, _ element: UInt16, _ value: String) {
        let place = bytes.count + 8
        switch (group, element) {
        case (0x0002, 0x0003), (0x0008, 0x0018): places.instance.append(place)
        case (0x0020, 0x000D): places.study = place
        case (0x0020, 0x000E): places.series = place
        default: break
        }
        var data = Data(value.utf8)
        if !data.count.isMultiple(of: 2) { data.append(0) }
        short(group, element, "UI", data)
    }

    mutating func unsigned(_ group: UInt16, _ element: UInt16, _ value: UInt16) {
        short(group, element, "US", Data(littleEndian: value))
    }

    /// An element whose header alone is written; the caller writes the value behind it.
    mutating func header(_ group: UInt16, _ element: UInt16, longVR vr: String, byteCount: UInt32) {
        bytes += Data(littleEndian: group) + Data(littleEndian: element) + Data(vr.utf8) + Data([0, 0])
        bytes += Data(littleEndian: byteCount)
    }

    private mutating func long(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: Data) {
        header(group, element, longVR: vr, byteCount: UInt32(value.count))
        bytes += value
    }

    private mutating func short(_ group: UInt16, _ element: UInt16, _ vr: String, _ value: Data) {
        bytes += Data(littleEndian: group) + Data(littleEndian: element) + Data(vr.utf8)
        bytes += Data(littleEndian: UInt16(value.count)) + value
    }
}

extension Data {
    init<Number: FixedWidthInteger>(littleEndian number: Number) {
        self = Swift.withUnsafeBytes(of: number.littleEndian) { Data($0) }
    }
}
