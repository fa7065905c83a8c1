import DICOM

/// An object on its way to a Part 10 file. PS3.10 §7.1.
struct PlantedObject {
    var dataset = Dataset()
    /// Pixel data that stands behind the dataset as it is, from its tag on.
    var tail: [UInt8] = []
    var preamble = [UInt8](repeating: 0, count: 128)
    var meta = Dataset()
    /// By which the patient is called besides (0010,1001).
    private var otherNames: [String] = []

    private static let studyInstance = "1.2.826.0.1.3680043.9.7744.1"

    /// With what makes an object acceptable, and no name yet.
    init(_ sopClass: String, _ modality: String, number: Int) {
        self[0x0008_0016] = sopClass
        self[0x0008_0018] = "\(Self.studyInstance).1.\(number)"
        self[0x0008_0060] = modality
        self[0x0010_0010] = "SOMEBODY"
        self[0x0010_0020] = "S1"
        self[0x0020_000D] = Self.studyInstance
        self[0x0020_000E] = "\(Self.studyInstance).\(number)"
        self[0x0020_0011] = "\(number)"
        self[0x0020_0013] = "1"
    }

    /// A value of the dictionary's VR.
    subscript(_ tag: UInt32) -> String {
        get { dataset.string(Tag(tag)) ?? "" }
        set { dataset.set(Tag(tag), Dictionary.vr(of: Tag(tag)) ?? .LO, string: newValue) }
    }

    mutating func words(_ tag: UInt32, _ values: [Int], vr: VR = .US) { dataset.set(Tag(tag), vr, ints: values) }

    mutating func bytes(_ tag: UInt32, _ vr: VR, _ value: String) {
        dataset.set(Tag(tag), vr, bytes: Array(value.utf8))
    }

    mutating func items(_ tag: UInt32, _ items: Dataset...) { dataset.set(Tag(tag), items: items) }

    /// A name of the patient that stands in (0010,1001) and in another place, in a text.
    mutating func name(in site: String, _ planter: inout Planter) -> String {
        let name = planter.word(site)
        otherNames.append(name + "^JOSEPH")
        return name
    }

    static func item(_ values: [UInt32: String]) -> Dataset {
        var result = Dataset()
        for (tag, value) in values { result.set(Tag(tag), Dictionary.vr(of: Tag(tag)) ?? .LO, string: value) }
        return result
    }

    /// The image pixel module of a picture of one sample. PS3.3 §C.7.6.3.
    mutating func pixels(side: Int, bits: Int, stored: Int) {
        words(0x0028_0002, [1])
        self[0x0028_0004] = "MONOCHROME2"
        words(0x0028_0010, [side])
        words(0x0028_0011, [side])
        words(0x0028_0100, [bits])
        words(0x0028_0101, [stored])
        words(0x0028_0102, [stored - 1])
        words(0x0028_0103, [0])
    }

    /// Encapsulated pixel data of one fragment. PS3.5 §A.4.
    mutating func encapsulate(_ stream: [UInt8]) {
        func item(_ element: UInt8, _ bytes: [UInt8]) -> [UInt8] {
            [0xFE, 0xFF, element, 0xE0] + withUnsafeBytes(of: UInt32(bytes.count).littleEndian) { Array($0) } + bytes
        }
        tail = [0xE0, 0x7F, 0x10, 0x00, UInt8(ascii: "O"), UInt8(ascii: "B"), 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
        tail += item(0x00, []) + item(0x00, stream.count.isMultiple(of: 2) ? stream : stream + [0]) + item(0xDD, [])
    }

    func file(_ syntax: TransferSyntax = .explicitVRLittleEndian, characterSet: String? = nil) -> [UInt8] {
        var meta = meta
        meta.set(Tag(0x0002_0001), .OB, bytes: [0, 1])
        meta.set(Tag(0x0002_0002), .UI, string: self[0x0008_0016])
        meta.set(Tag(0x0002_0003), .UI, string: self[0x0008_0018])
        meta.set(Tag(0x0002_0010), .UI, string: syntax.uid)
        meta.set(Tag(0x0002_0012), .UI, string: "2.25.100000000000000000000000000000000000001")
        var dataset = dataset
        if !otherNames.isEmpty { dataset.set(Tag(0x0010_1001), .PN, strings: otherNames) }
        let header = meta.encoded(transferSyntax: .explicitVRLittleEndian)
        let group: [UInt8] = [2, 0, 0, 0, UInt8(ascii: "U"), UInt8(ascii: "L"), 4, 0]
        let length = withUnsafeBytes(of: UInt32(header.count).littleEndian) { Array($0) }
        let body = dataset.encoded(
            transferSyntax: .explicitVRLittleEndian, characterSet: characterSet.map { CharacterSet([$0]) })
        return preamble + Array("DICM".utf8) + group + length + header + body + tail
    }
}
