import DICOM
import HTTP

/// A request of the URI service as its query says it. PS3.18 §9.
struct URIRequest: Sendable {
    enum Form: Sendable {
        case object(TransferSyntax?)
        case picture([PictureMediaType.Choice])
    }

    let path: ResourcePath
    let form: Form
    let order: PictureOrder
    let quality: Int
    /// Counted from 1; nil for the one that stands for all.
    let frame: Int?
    /// By which profile the answer is to be de-identified.
    let profile: String?

    private static let known: Set<String> = [
        "requestType", "studyUID", "seriesUID", "objectUID", "contentType", "charset", AskedProfile.uriName,
        AskedProfile.name, "annotation", "rows", "columns", "region", "windowCenter", "windowWidth", "frameNumber",
        "imageQuality", "presentationUID", "presentationSeriesUID", "transferSyntax",
    ]
    /// What says how pixels are shown, and nothing about objects.
    private static let showing = [
        "rows", "columns", "region", "windowCenter", "windowWidth", "frameNumber", "imageQuality", "annotation",
    ]

    /// - Throws: 400 for what is malformed or unknown, 406 for other media types, 501 for what the standard knows and
    ///   this does not.
    init(_ query: String?) throws(Problem) {
        var values: [String: String] = [:]
        for (name, value) in try QueryText(query).parameters {
            guard Self.known.contains(name) else {
                throw Problem(.badRequest, "A parameter of the query is none of the URI service (PS3.18 §9).")
            }
            guard values.updateValue(value, forKey: name) == nil else {
                throw Problem(.badRequest, "The parameter \(name) stands in the query twice.")
            }
        }
        guard values["requestType"] == "WADO" else { throw Problem(.badRequest, "The parameter requestType is WADO.") }
        path = ResourcePath(
            study: try Self.uid(values, "studyUID"), series: try Self.uid(values, "seriesUID"),
            instance: try Self.uid(values, "objectUID"))
        profile = try Self.profile(values)
        try Self.refuse(values)
        form = try Self.form(values)
        if case .object = form {
            guard !Self.showing.contains(where: { values[$0] != nil }) else {
                throw Problem(.badRequest, "An object goes whole and as it is: how pixels are shown is for pictures.")
            }
        }
        order = try Self.order(values)
        quality =
            try values["imageQuality"].map { value throws(Problem) in
                try PictureParameters.quality(value, "imageQuality")
            } ?? PictureParameters.quality
        frame = try Self.integer(values, "frameNumber", in: 1...Int(Int32.max))
    }

    private static func uid(_ values: [String: String], _ name: String) throws(Problem) -> String {
        guard let value = values[name], ResourcePath.isUID(value) else {
            throw Problem(.badRequest, "The parameter \(name) is a UID: 1 to 64 digits and dots.")
        }
        return value
    }

    private static func profile(_ values: [String: String]) throws(Problem) -> String? {
        let named = values[AskedProfile.name]
        guard let value = values[AskedProfile.uriName] else { return named }
        guard value == "yes" else { throw Problem(.badRequest, "The parameter anonymize is yes, or is left out.") }
        guard named == nil else {
            throw Problem(.badRequest, "De-identification is asked for by anonymize=yes or by deidentify=PROFILE.")
        }
        return AskedProfile.ofURI
    }

    private static func refuse(_ values: [String: String]) throws(Problem) {
        if values["presentationUID"] != nil || values["presentationSeriesUID"] != nil {
            throw Problem(.notImplemented, "Presentation states are not applied here: ask without presentationUID.")
        }
    }

    private static func form(_ values: [String: String]) throws(Problem) -> Form {
        let ranges =
            try values["contentType"].map { value throws(Problem) in try PictureParameters.ranges(value) } ?? []
        let isObject = ranges.first.map { $0.essence == "application/dicom" } ?? false
        if let uid = values["transferSyntax"] {
            guard ResourcePath.isUID(uid) else { throw Problem(.badRequest, "The parameter transferSyntax is a UID.") }
            guard isObject else {
                throw Problem(.badRequest, "The parameter transferSyntax is for contentType=application/dicom.")
            }
            guard TransferSyntax.isKnown(uid: uid) else {
                throw Problem(.notAcceptable, "The transfer syntax is not one that is known here.")
            }
            return .object(TransferSyntax(uid: uid))
        }
        if isObject { return .object(nil) }
        let choices = PictureMediaType.choices(ranges).filter { !$0.isMultipart }
        guard !choices.isEmpty else {
            throw Problem(
                .notAcceptable, "There are application/dicom, image/jpeg, image/png, image/gif and video/mp4.",
                available: ["application/dicom", "image/jpeg", "image/png", "image/gif", "video/mp4"])
        }
        return .picture(choices)
    }

    private static func order(_ values: [String: String]) throws(Problem) -> PictureOrder {
        var order = PictureOrder()
        order.annotation =
            try values["annotation"].map { value throws(Problem) in
                try PictureParameters.annotation(value)
            } ?? []
        order.width = try integer(values, "columns", in: 1...PictureOrder.sideLimit)
        order.height = try integer(values, "rows", in: 1...PictureOrder.sideLimit)
        if let region = values["region"] {
            let shares = region.split(separator: ",", omittingEmptySubsequences: false)
                .compactMap { PictureParameters.number($0) }
            guard shares.count == 4, shares.allSatisfy({ (0...1).contains($0) }), shares[0] < shares[2],
                shares[1] < shares[3]
            else {
                throw Problem(
                    .badRequest,
                    "The region is left, top, right and bottom as shares from 0 to 1, parted by commas.")
            }
            order.region = .shares(left: shares[0], top: shares[1], right: shares[2], bottom: shares[3])
        }
        if values["windowCenter"] != nil || values["windowWidth"] != nil {
            guard let center = values["windowCenter"].flatMap({ PictureParameters.number($0) }),
                let width = values["windowWidth"].flatMap({ PictureParameters.number($0) }),
                let window = ValueWindow(center: center, width: width, shape: .linear)
            else {
                throw Problem(
                    .badRequest, "windowCenter and windowWidth are numbers, both or neither, the width at least 1.")
            }
            order.window = window
        }
        return order
    }

    private static func integer(
        _ values: [String: String], _ name: String, in range: ClosedRange<Int>
    ) throws(Problem) -> Int? {
        guard let value = values[name] else { return nil }
        guard let number = Int(value), range.contains(number) else {
            throw Problem(
                .badRequest, "The parameter \(name) is a number from \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}
