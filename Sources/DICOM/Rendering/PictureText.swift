import Foundation

/// What is written into a picture besides its pixels. PS3.18 §8.3.5.1.2.
public struct PictureAnnotation: OptionSet, Hashable, Sendable {
    public let rawValue: UInt8

    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Who is shown: name, identifier, birth date and sex.
    public static let patient = PictureAnnotation(rawValue: 1)
    /// What is shown and how it was made: modality, date, numbers, exposure, slice and window.
    public static let technique = PictureAnnotation(rawValue: 2)
}

/// The words written into a picture, by the corner they stand in.
public struct PictureText: Hashable, Sendable {
    /// Characters of one line that are kept.
    public static let lineLimit = 160

    /// Lines of the upper left, upper right, lower left and lower right corner.
    public private(set) var corners: [[String]] = [[], [], [], []]

    public var isEmpty: Bool { corners.allSatisfy(\.isEmpty) }

    /// UTF-8: each corner's lines parted by line feeds and ended by a zero.
    public var encoded: [UInt8] { corners.flatMap { Array($0.joined(separator: "\n").utf8) + [0] } }

    public init() {}

    /// Reads what an object says of itself; what it does not say is left out.
    ///
    /// - Parameters:
    ///   - frame: of how many frames it is the which, counted from 1.
    ///   - window: what the shades are made by, if by a window.
    init(_ reader: HeaderReader, _ wanted: PictureAnnotation, frame: (number: Int, count: Int), window: ValueWindow?) {
        if wanted.contains(.patient) { corners[0] = Self.patient(reader.header) }
        guard wanted.contains(.technique) else { return }
        corners[1] = Self.identity(reader.header, frame)
        corners[2] = Self.technique(reader)
        if let window {
            corners[3] = Self.lines([
                [Self.number(window.center).map { "C " + $0 }, Self.number(window.width).map { "W " + $0 }]
            ])
        }
    }

    // MARK: Lines

    private static func patient(_ header: Dataset) -> [String] {
        let name = PersonName(header.string(.patientName) ?? "")
        let ideographic = plain(name.ideographic)
        let phonetic = plain(name.phonetic)
        let alphabetic = plain(name.alphabetic)
        // The two that say how it is written and how it is read stand together.
        let written = ideographic.isEmpty ? phonetic : ideographic
        let read = ideographic.isEmpty || phonetic.isEmpty || phonetic == ideographic ? nil : "(\(phonetic))"
        return lines([
            [written, read], [alphabetic == written ? nil : alphabetic],
            [header.string(.patientID).flatMap { $0.isEmpty ? nil : "ID " + $0 }],
            [header.string(.patientBirthDate).map(date), header.string(.patientSex)],
        ])
    }

    private static func identity(_ header: Dataset, _ frame: (number: Int, count: Int)) -> [String] {
        lines([
            [header.string(.modality), header.string(.studyDate).map(date)],
            [
                header.int(.seriesNumber).map { "Se \($0)" }, header.int(.instanceNumber).map { "Im \($0)" },
                frame.count > 1 ? "Fr \(frame.number)/\(frame.count)" : nil,
            ],
        ])
    }

    private static func technique(_ reader: HeaderReader) -> [String] {
        let rays = reader.group(.ctXRayDetailsSequence)
        let exposure = reader.group(.ctExposureSequence)
        let header = reader.header
        func quantity(_ value: Double?, _ unit: String) -> String? { number(value).map { "\($0) \(unit)" } }
        return lines([
            [
                quantity(rays.double(.kvp) ?? header.double(.kvp), "kV"),
                quantity(exposure.double(.xRayTubeCurrentInmA) ?? header.double(.xRayTubeCurrent), "mA"),
                quantity(exposure.double(.exposureTimeInms) ?? header.double(.exposureTime), "ms"),
                quantity(exposure.double(.exposureInmAs) ?? header.double(.exposure), "mAs"),
            ],
            [
                quantity(reader.group(.pixelMeasuresSequence).double(.sliceThickness), "mm").map { "ST " + $0 },
                quantity(header.double(.sliceLocation), "mm").map { "SL " + $0 },
            ],
        ])
    }

    private static func lines(_ parts: [[String?]]) -> [String] {
        parts.map { line in
            let text = line.compactMap { $0.map(clean) }.filter { !$0.isEmpty }.joined(separator: "  ")
            return String(String.UnicodeScalarView(text.unicodeScalars.prefix(lineLimit)))
        }.filter { !$0.isEmpty }
    }

    // MARK: Values

    /// One group of a name as people write it: family name first, Chinese characters without spaces between.
    private static func plain(_ group: String) -> String {
        let isHan = group.unicodeScalars.contains { $0.properties.isIdeographic }
        return group.split(separator: "^").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
            .joined(separator: isHan ? "" : " ")
    }

    /// Composed, without what would break a line or end the text.
    private static func clean(_ text: String) -> String {
        let scalars = text.precomposedStringWithCanonicalMapping.unicodeScalars.filter { !$0.properties.isControl }
        return String(String.UnicodeScalarView(scalars)).trimmingCharacters(in: .whitespaces)
    }

    /// 20260131 as 2026-01-31.
    private static func date(_ text: String) -> String {
        guard text.utf8.count == 8, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return text }
        return "\(text.prefix(4))-\(text.dropFirst(4).prefix(2))-\(text.suffix(2))"
    }

    /// With two decimals at most; nil for none, and for what is too large to mean anything.
    private static func number(_ value: Double?) -> String? {
        guard let value, value.isFinite, abs(value) < 1e7 else { return nil }
        let rounded = (value * 100).rounded() / 100
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}

extension Unicode.Scalar.Properties {
    fileprivate var isControl: Bool { generalCategory == .control }
}

extension Tag {
    fileprivate static let ctExposureSequence = Tag(0x0018_9321)
    fileprivate static let ctXRayDetailsSequence = Tag(0x0018_9325)
    fileprivate static let exposureTimeInms = Tag(0x0018_9328)
    fileprivate static let xRayTubeCurrentInmA = Tag(0x0018_9330)
    fileprivate static let exposureInmAs = Tag(0x0018_9332)
}
