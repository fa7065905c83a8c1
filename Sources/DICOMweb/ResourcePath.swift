import HTTP
import Hummingbird

/// What a path names: a study, one of its series, one of its instances. PS3.18 §10.1.
struct ResourcePath: Sendable, Equatable {
    var study: String?
    var series: String?
    var instance: String?

    /// PS3.5 §9.1; also what breaks its rules without being dangerous, such as leading zeros.
    static let uidCharacterCountLimit = 64

    init(study: String? = nil, series: String? = nil, instance: String? = nil) {
        self.study = study
        self.series = series
        self.instance = instance
    }

    /// - Throws: 400 when a part of the path is no UID.
    init(_ parameters: Parameters) throws {
        study = try Self.uid(parameters, "study")
        series = try Self.uid(parameters, "series")
        instance = try Self.uid(parameters, "instance")
    }

    static func isUID(_ text: some StringProtocol) -> Bool {
        (1...uidCharacterCountLimit).contains(text.utf8.count)
            && text.utf8.allSatisfy { $0 == UInt8(ascii: ".") || (0x30...0x39).contains($0) }
    }

    private static func uid(_ parameters: Parameters, _ name: String) throws -> String? {
        guard let value = parameters.get(name) else { return nil }
        guard isUID(value) else {
            throw Problem(.badRequest, "The path wants a UID as the \(name): 1 to 64 digits and dots.")
        }
        return value
    }

    /// The address of the resource under the service's root.
    var text: String {
        var result = ""
        if let study { result += "/studies/\(study)" }
        if let series { result += "/series/\(series)" }
        if let instance { result += "/instances/\(instance)" }
        return result
    }
}

/// Paths under the service's root that several routes share; `ResourcePath` reads their parameters.
enum WebPath {
    static let studies = "studies"
    static let study = studies + "/:study"
    static let series = study + "/series/:series"
    static let instance = series + "/instances/:instance"
    /// Of metadata's addresses, which name no series.
    static let instanceOfStudy = study + "/instances/:instance"
    static let frames = instance + "/frames/:frames"
}
