import Foundation

/// Real CT files to build the test study from: pixels and attributes stay, the UIDs are replaced.
public struct RealSeries {
    /// A larger file is not a CT slice.
    public static let fileByteCountLimit = 16 << 20
    /// Elements looked at before Pixel Data; a real header has a few hundred.
    static let elementCountLimit = 20_000

    private let files: [Data]

    /// Reads the CT images of a folder, in the order of their names.
    ///
    /// - Throws: `.unusableSeries` if a file is not Explicit VR Little Endian, too large, or lacks a UID.
    public init(folder: String) throws(BenchError) {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        var files: [Data] = []
        for name in names.prefix(400) {
            let path = folder + "/" + name
            guard let data = FileManager.default.contents(atPath: path), data.count > 132,
                data[128..<132] == Data("DICM".utf8)
            else { continue }
            // A DICOMDIR or a report may lie beside the slices.
            guard try Self.sopClass(of: [UInt8](data.prefix(4096))) == Phantom.ctImageStorage else { continue }
            guard data.count <= Self.fileByteCountLimit else { throw .unusableSeries(reason: "a file is over 16 MiB") }
            files.append(data)
        }
        guard !files.isEmpty else { throw .unusableSeries(reason: "no CT image in the folder") }
        self.files = files
    }

    /// One object with the given identity; the files are used again from the first when there are fewer than asked for.
    ///
    /// - Throws: `.unusableSeries`.
    func object(
        _ index: Int, identity: StudyIdentity
    ) throws(BenchError) -> (bytes: Data, places: Part10Writer.Places) {
        let source = [UInt8](files[index % files.count])
        var scan = ElementScan(bytes: source, offset: 132)
        var sopClass = ""
        var body = Data()
        var places = Part10Writer.Places()
        var copied: Int?
        var count = 0
        while let element = try scan.next() {
            count += 1
            guard count <= Self.elementCountLimit else { throw .unusableSeries(reason: "too many elements") }
            if element.tag == 0x0002_0010 {
                guard element.text(in: source) == Part10Writer.explicitVRLittleEndian else {
                    throw .unusableSeries(reason: "not Explicit VR Little Endian")
                }
            }
            if element.tag == 0x0002_0002 { sopClass = element.text(in: source) }
            guard element.tag >> 16 != 2 else { continue }
            if copied == nil { copied = element.start }
            guard let uid = Self.replacement(for: element.tag, index: index, identity: identity) else { continue }
            body += source[(copied ?? element.start)..<element.start]
            body += source[element.start..<element.start + 6] + Data(littleEndian: UInt16(uid.utf8.count))
            switch element.tag {
            case 0x0008_0018: places.instance.append(body.count)
            case 0x0020_000D: places.study = body.count
            default: places.series = body.count
            }
            body += Data(uid.utf8)
            copied = scan.offset
            if element.tag == 0x0020_000E { break }
        }
        guard places.study != nil, places.series != nil, places.instance.count == 1, let copied else {
            throw .unusableSeries(reason: "a file lacks a study, series or instance UID")
        }
        body += source[copied...]
        let head = Part10Writer(sopClass: sopClass, identity: identity, index: index)
        let start = head.bytes.count
        let moved = Part10Writer.Places(
            study: places.study.map { $0 + start }, series: places.series.map { $0 + start },
            instance: head.places.instance + places.instance.map { $0 + start })
        return (head.bytes + body, moved)
    }

    /// The SOP class the file meta information names.
    private static func sopClass(of head: [UInt8]) throws(BenchError) -> String {
        var scan = ElementScan(bytes: head, offset: 132)
        while let element = try scan.next(), element.tag >> 16 == 2 {
            if element.tag == 0x0002_0002 { return element.text(in: head) }
        }
        return ""
    }

    private static func replacement(for tag: UInt32, index: Int, identity: StudyIdentity) -> String? {
        switch tag {
        case 0x0008_0018: identity.instance(index)
        case 0x0020_000D: identity.study
        case 0x0020_000E: identity.series
        default: nil
        }
    }
}
