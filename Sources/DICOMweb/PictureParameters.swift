import DICOM
import HTTP

/// What the query of a rendered resource asks for. PS3.18 §8.3.3.1 and §8.3.5.
struct PictureParameters: Sendable {
    /// Sides of a thumbnail where the query names none, in pixels.
    static let thumbnailSide = 128
    /// Of JPEG, where the query names none.
    static let quality = 90
    static let thumbnailQuality = 80

    var order = PictureOrder()
    /// The parameter `accept`, which goes before the field; nil without it.
    var accept: [MediaRange]?
    var quality: Int

    /// - Parameter isThumbnail: thumbnails know the viewport's own sides alone.
    /// - Throws: 400 for what is malformed or unknown, 501 for what the standard knows and this does not.
    init(_ query: String?, isThumbnail: Bool) throws(Problem) {
        quality = isThumbnail ? Self.thumbnailQuality : Self.quality
        var seen: Set<String> = []
        for (name, value) in try QueryText(query).parameters {
            guard seen.insert(name).inserted else {
                throw Problem(.badRequest, "The parameter \(name) stands in the query twice.")
            }
            switch name {
            case "accept": accept = try Self.ranges(value)
            // Read where it is decided what is shown.
            case "charset", AskedProfile.name: break
            case "viewport": try setViewport(value, isThumbnail)
            case "window" where !isThumbnail: order.window = try Self.window(value)
            case "quality" where !isThumbnail: quality = try Self.quality(value, name)
            case "annotation" where !isThumbnail: order.annotation = try Self.annotation(value)
            case "iccprofile" where !isThumbnail: order.colors = try Self.colors(value)
            default:
                // The name may be anything, so it is not repeated.
                throw Problem(
                    .badRequest,
                    "A parameter is unknown here: there are accept, charset, deidentify, viewport"
                        + (isThumbnail ? "." : ", window, quality, annotation and iccprofile."))
            }
        }
        if isThumbnail, order.width == nil { (order.width, order.height) = (Self.thumbnailSide, Self.thumbnailSide) }
    }

    static func ranges(_ value: String) throws(Problem) -> [MediaRange] {
        guard let ranges = MediaRange.accepted(value) else {
            throw Problem(.badRequest, "The parameter accept is no list of media types.")
        }
        return ranges
    }

    /// `vw,vh` or `vw,vh,sx,sy,sw,sh`, of which the last four may be empty. PS3.18 §8.3.5.1.3.
    private mutating func setViewport(_ value: String, _ isThumbnail: Bool) throws(Problem) {
        let malformed = Problem(
            .badRequest,
            "The viewport is width and height from 1 to \(PictureOrder.sideLimit), and for rendered images also the "
                + "region's left, top, width and height in pixels, parted by commas.")
        let parts = value.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 2 || (parts.count == 6 && !isThumbnail), let width = Int(parts[0]),
            let height = Int(parts[1]), (1...PictureOrder.sideLimit).contains(width),
            (1...PictureOrder.sideLimit).contains(height)
        else { throw malformed }
        (order.width, order.height) = (width, height)
        guard parts.count == 6 else { return }
        var numbers: [Int?] = []
        for part in parts[2...] {
            if part.isEmpty {
                numbers.append(nil)
                continue
            }
            guard let number = Self.number(part), abs(number) <= 65_535 else { throw malformed }
            numbers.append(Int(number.rounded()))
        }
        guard numbers[2] != 0, numbers[3] != 0 else { throw malformed }
        order.region = .pixels(
            left: numbers[0] ?? 0, top: numbers[1] ?? 0, width: numbers[2], height: numbers[3])
    }

    /// `center,width` with or without the shape. PS3.18 §8.3.5.1.4.
    private static func window(_ value: String) throws(Problem) -> ValueWindow {
        let parts = value.split(separator: ",", omittingEmptySubsequences: false)
        let shapes: [Substring: ValueWindow.Shape] = [
            "linear": .linear, "linear-exact": .linearExact, "sigmoid": .sigmoid,
        ]
        guard (2...3).contains(parts.count), let center = number(parts[0]), let width = number(parts[1]),
            let shape = parts.count == 3 ? shapes[parts[2]] : .linear,
            let window = ValueWindow(center: center, width: width, shape: shape)
        else {
            throw Problem(
                .badRequest,
                "The window is center and width, at least 1 where it is linear, and linear, linear-exact or sigmoid, "
                    + "parted by commas.")
        }
        return window
    }

    static func quality(_ value: String, _ name: String) throws(Problem) -> Int {
        guard let quality = Int(value), (1...100).contains(quality) else {
            throw Problem(.badRequest, "The parameter \(name) is a number from 1 to 100.")
        }
        return quality
    }

    /// `patient`, `technique` or both. PS3.18 §8.3.5.1.2.
    static func annotation(_ value: String) throws(Problem) -> PictureAnnotation {
        let known: [Substring: PictureAnnotation] = ["patient": .patient, "technique": .technique]
        var result: PictureAnnotation = []
        for part in value.split(separator: ",", omittingEmptySubsequences: false) {
            guard let annotation = known[part] else {
                throw Problem(.badRequest, "The parameter annotation is patient, technique or both, parted by a comma.")
            }
            result.insert(annotation)
        }
        return result
    }

    private static func colors(_ value: String) throws(Problem) -> PictureColors {
        let known: [String: PictureColors] = [
            "no": .plain, "yes": .profiled, "srgb": .sRGB, "adobergb": .adobeRGB, "rommrgb": .rommRGB,
            "displayp3": .displayP3,
        ]
        guard let colors = known[value] else {
            throw Problem(
                .badRequest, "The parameter iccprofile is no, yes, srgb, adobergb, rommrgb or displayp3.")
        }
        return colors
    }

    /// A decimal number that is finite, of 64 characters at most.
    static func number(_ text: some StringProtocol) -> Double? {
        guard text.utf8.count <= 64, let first = text.utf8.first,
            (0x30...0x39).contains(first) || "+-.".utf8.contains(first)
        else { return nil }
        return Double(String(text)).flatMap { $0.isFinite ? $0 : nil }
    }
}
