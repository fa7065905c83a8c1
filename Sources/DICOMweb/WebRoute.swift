import Catalog
import DICOM
import Release

/// One operation of the door, as its descriptions tell it. The router's own routes are tested against these.
struct WebRoute: Sendable {
    /// What a parameter of the query is.
    enum Kind: String, Sendable {
        case text = "string"
        case number = "integer"
        case flag = "boolean"
    }

    struct Parameter: Sendable {
        var name: String
        var kind: Kind
        var about: String
        var isRequired = false
        /// A regular expression of what is taken.
        var pattern: String?
        /// Whether it is one of those that many routes share.
        var isKey = false
    }

    var method: String
    /// Where its path begins.
    var root = Door.root
    /// Under the root, as `/studies/{study}`; empty for the root itself.
    var path: String
    var about: String
    var parameters: [Parameter] = []
    /// Media types of the request's body; empty where there is none.
    var takes: [String] = []
    /// Media types of the answer, by status.
    var answers: [(status: Int, types: [String])]

    /// What every route may answer besides: problem documents.
    static let problems = [400, 401, 403, 404, 405, 406, 421, 429, 500, 503]

    static let all: [WebRoute] = restful + beside
    /// What lies under the root of the RESTful services.
    static let restful = searches + retrievals + pictures + stores + removals + commitment + others

    private static let json = "application/dicom+json"
    private static let xml = "multipart/related; type=\"application/dicom+xml\""
    private static let models = [json, xml]
    private static let single = [json, "application/dicom+xml"]

    private static let searches: [WebRoute] = [
        ("/studies", QueryLevel.study, "Searches studies."), ("/series", .series, "Searches series."),
        ("/instances", .instance, "Searches instances."),
        ("/studies/{study}/series", .series, "Searches a study's series."),
        ("/studies/{study}/instances", .instance, "Searches a study's instances."),
        ("/studies/{study}/series/{series}/instances", .instance, "Searches a series' instances."),
    ].map { path, level, about in
        WebRoute(
            method: "GET", path: path,
            about: about + " PS3.18 §10.6. Keys may also be given by tag, and those in sequences by dotted path; "
                + "private ones that the service keeps by tag, with their private creator beside them: 0019100C=7 "
                + "and 00190010=CREATOR.",
            parameters: [
                .init(name: "limit", kind: .number, about: "The most matches."),
                .init(name: "offset", kind: .number, about: "Matches to pass over."),
                .init(name: "fuzzymatching", kind: .flag, about: "Whether names match by their sound."),
                .init(name: "emptyvaluematching", kind: .flag, about: "Whether \"\" matches empty values."),
                .init(name: "multiplevaluematching", kind: .flag, about: "Whether one of several values matches."),
                .init(
                    name: "includefield", kind: .text,
                    about: "Attributes to answer with, private ones beside their creator; all for every one."
                ),
                .init(name: "totalcount", kind: .flag, about: "Whether X-Total-Count says how many there are."),
            ] + keys(level).filter { !path.contains(pathName($0.name)) }, answers: [(200, models)])
    }

    /// What a path names already, which the query may not.
    private static func pathName(_ keyword: String) -> String {
        switch keyword {
        case "StudyInstanceUID": "{study}"
        case "SeriesInstanceUID": "{series}"
        default: " "
        }
    }

    /// The keys that a search at a level matches, by keyword; those of sequences have dotted paths.
    static func keys(_ level: QueryLevel) -> [Parameter] {
        let sets: [(QueryLevel, Set<Tag>)] = [
            (.patient, LevelAttributes.patient),
            (.study, LevelAttributes.study.union([.modalitiesInStudy, .sopClassesInStudy])),
            (.series, LevelAttributes.series), (.instance, LevelAttributes.instance),
        ]
        let tags = sets.filter { $0.0 <= level }.flatMap(\.1).filter { $0 != .specificCharacterSet }.sorted()
        return tags.compactMap { tag in
            guard let keyword = Dictionary.keyword(of: tag), let vr = Dictionary.vr(of: tag), vr != .SQ else {
                return nil
            }
            return Parameter(
                name: keyword, kind: .text, about: "A key: \(tag), \(vr).", pattern: pattern(vr), isKey: true)
        }
    }

    /// What a key of a VR must be to be taken at all; nil for any text.
    private static func pattern(_ vr: VR) -> String? {
        switch vr {
        case .UI: "^([0-9.]{1,64}|[*])(,([0-9.]{1,64}|[*]))*$"
        case .US: "^([0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|[*])$"
        default: nil
        }
    }

    private static let retrievals: [WebRoute] =
        [("/studies/{study}", "study"), ("/studies/{study}/series/{series}", "series"), (instance, "instance")]
        .flatMap { path, name in
            [
                WebRoute(
                    method: "GET", path: path, about: "Retrieves a \(name). PS3.18 §10.4.",
                    parameters: [deidentify],
                    answers: [
                        (
                            200,
                            ["multipart/related; type=\"application/dicom\"", "application/dicom", "application/zip"]
                        ), (206, ["multipart/related; type=\"application/dicom\"", "application/dicom"]), (304, []),
                        (413, []), (416, []),
                    ]),
                WebRoute(
                    method: "GET", path: path + "/metadata", about: "Retrieves the metadata of a \(name).",
                    parameters: [deidentify],
                    answers: [(200, models), (304, []), (413, [])]),
            ]
        } + [
            WebRoute(
                method: "GET", path: instance + "/frames/{frames}", about: "Retrieves frames, counted from 1.",
                parameters: [deidentify],
                answers: [
                    (200, ["multipart/related", "application/octet-stream", "image/*"]),
                    (206, ["application/octet-stream", "image/*"]), (304, []), (416, []),
                ])
        ]
        + [instance, "/studies/{study}/instances/{instance}"].map { path in
            WebRoute(
                method: "GET", path: path + "/bulkdata/{path}",
                about: "Retrieves a long value; the path is one of tags and item numbers.",
                parameters: [deidentify],
                answers: [
                    (200, ["application/octet-stream", "multipart/related"]), (206, ["application/octet-stream"]),
                    (304, []), (416, []),
                ])
        }

    private static let pictures: [WebRoute] =
        [
            ("/studies/{study}", "a study", pictureTypes),
            ("/studies/{study}/series/{series}", "a series", pictureTypes),
            (instance, "an instance", movingTypes),
            (instance + "/frames/{frames}", "frames, counted from 1", movingTypes),
        ].flatMap { path, name, types in
            [
                WebRoute(
                    method: "GET", path: path + "/rendered", about: "Shows \(name) as pictures. PS3.18 §10.4.1.1.3.",
                    parameters: renderedParameters + [deidentify],
                    answers: [(200, types), (304, []), (501, [])]),
                WebRoute(
                    method: "GET", path: path + "/thumbnail", about: "Shows \(name) in small. PS3.18 §10.4.1.1.4.",
                    parameters: thumbnailParameters + [deidentify],
                    answers: [(200, types), (304, []), (501, [])]),
            ]
        }

    /// Of retrievals; none of PS3.18's.
    private static let deidentify = Parameter(
        name: AskedProfile.name, kind: .text,
        about: "The profile by which the answer is de-identified; those that may be asked for are set by the operator.",
        pattern: "^(\(Releases.profiles.joined(separator: "|")))$")

    private static let renderedParameters: [Parameter] = [
        .init(name: "viewport", kind: .text, about: "vw,vh[,sx,sy,sw,sh] in pixels."),
        .init(name: "window", kind: .text, about: "center,width,linear|linear-exact|sigmoid."),
        .init(name: "quality", kind: .number, about: "Of JPEG and MP4, 1 to 100."),
        .init(name: "annotation", kind: .text, about: "patient, technique or both, written into the picture."),
        .init(name: "iccprofile", kind: .text, about: "no, yes, srgb, adobergb, rommrgb, displayp3."),
        .init(name: "accept", kind: .text, about: "Media types, as in the field Accept."),
    ]

    private static let thumbnailParameters: [Parameter] = [
        .init(name: "viewport", kind: .text, about: "vw,vh in pixels."),
        .init(name: "accept", kind: .text, about: "Media types, as in the field Accept."),
    ]

    private static let pictureTypes = ["image/jpeg", "image/png", "image/gif", "multipart/related"]
    private static let movingTypes = pictureTypes + ["video/mp4"]

    private static let instance = "/studies/{study}/series/{series}/instances/{instance}"

    private static let stores: [WebRoute] = [("/studies", ""), ("/studies/{study}", " of one study")]
        .map { path, about in
            WebRoute(
                method: "POST", path: path, about: "Stores objects\(about). PS3.18 §10.5.",
                takes: [
                    "multipart/related; type=\"application/dicom\"",
                    "multipart/related; type=\"application/dicom+json\"",
                    "multipart/related; type=\"application/dicom+xml\"", "application/dicom", "application/dicom+json",
                    "application/dicom+xml",
                ], answers: [(200, single), (202, single), (409, single), (413, []), (415, []), (507, [])])
        }

    private static let removals: [WebRoute] =
        [("/studies/{study}", "study"), ("/studies/{study}/series/{series}", "series"), (instance, "instance")]
        .map { path, name in
            WebRoute(
                method: "DELETE", path: path,
                about: "Removes a \(name); it can be restored until the grace period is over.",
                answers: [(204, []), (409, [])])
        }

    private static let commitment: [WebRoute] = [
        WebRoute(
            method: "POST", path: "/commitment-requests/{transaction}",
            about: "Requests storage commitment. PS3.18 §13.4.", takes: single,
            answers: [(200, single), (202, []), (409, []), (413, []), (415, [])]),
        WebRoute(
            method: "GET", path: "/commitment-requests/{transaction}",
            about: "Asks for the result of a request. PS3.18 §13.5.", answers: [(200, single), (202, [])]),
    ]

    private static let others: [WebRoute] = [
        WebRoute(
            method: "GET", path: "/events", about: "What happens in the archive, as Server-Sent Events.",
            answers: [(200, ["text/event-stream"])]),
        WebRoute(
            method: "GET", path: "/openapi.json", about: "This description.", answers: [(200, ["application/json"])]),
        WebRoute(
            method: "GET", path: "/capabilities", about: "What the service offers. PS3.18 §8.9.",
            answers: [(200, [Capabilities.wadlType, "application/json"])]),
        WebRoute(
            method: "OPTIONS", path: "", about: "What the service offers. PS3.18 §8.9.",
            answers: [(200, [Capabilities.wadlType, "application/json"])]),
    ]

    /// What lies beside the RESTful services.
    private static let beside: [WebRoute] =
        [
            WebRoute(
                method: "GET", root: "", path: Door.uriPath,
                about: "Retrieves one object, as it is or as a picture. PS3.18 §9.",
                parameters: [
                    .init(name: "requestType", kind: .text, about: "WADO.", isRequired: true),
                    .init(name: "studyUID", kind: .text, about: "Study Instance UID.", isRequired: true),
                    .init(name: "seriesUID", kind: .text, about: "Series Instance UID.", isRequired: true),
                    .init(name: "objectUID", kind: .text, about: "SOP Instance UID.", isRequired: true),
                    .init(name: "contentType", kind: .text, about: "Media types, the most wanted first."),
                    .init(name: "transferSyntax", kind: .text, about: "Its UID, for contentType=application/dicom."),
                    .init(name: "charset", kind: .text, about: "Is taken, and says nothing of a picture."),
                    .init(name: "rows", kind: .number, about: "The most rows of the picture."),
                    .init(name: "columns", kind: .number, about: "The most columns of the picture."),
                    .init(name: "region", kind: .text, about: "left,top,right,bottom as shares from 0 to 1."),
                    .init(name: "windowCenter", kind: .text, about: "With windowWidth."),
                    .init(name: "windowWidth", kind: .text, about: "With windowCenter."),
                    .init(name: "frameNumber", kind: .number, about: "Counted from 1."),
                    .init(name: "imageQuality", kind: .number, about: "Of JPEG and MP4, 1 to 100."),
                    .init(name: "annotation", kind: .text, about: "patient, technique or both."),
                    .init(
                        name: AskedProfile.uriName, kind: .text,
                        about: "yes: the answer is de-identified by the profile \(AskedProfile.ofURI).",
                        pattern: "^yes$"),
                    deidentify,
                ],
                answers: [
                    (200, ["application/dicom", "image/jpeg", "image/png", "image/gif", "video/mp4"]), (304, []),
                    (501, []),
                ]),
            WebRoute(
                method: "GET", root: "", path: Door.arrivingPath + "/{transfer}",
                about: "How much of a study that arrives from another site is there.",
                answers: [(200, ["application/json"])]),
            WebRoute(
                method: "GET", root: "", path: Door.arrivingPath + "/{transfer}/metadata",
                about: "Retrieves the metadata of what is there of an arriving study.",
                parameters: [.init(name: "from", kind: .number, about: "How many of the first are left out.")],
                answers: [(200, models)]),
            WebRoute(
                method: "GET", root: "", path: arrivingInstance + "/metadata",
                about: "Retrieves the metadata of an instance of an arriving study.", answers: [(200, models)]),
            WebRoute(
                method: "GET", root: "", path: arrivingInstance + "/frames/{frames}",
                about: "Retrieves frames of an arriving study, counted from 1.",
                answers: [(200, ["multipart/related", "application/octet-stream", "image/*"])]),
            WebRoute(
                method: "GET", root: "", path: arrivingInstance + "/bulkdata/{path}",
                about: "Retrieves a long value of an arriving study.",
                answers: [(200, ["application/octet-stream", "multipart/related"])]),
        ]
        + [(arrivingInstance, "an instance"), (arrivingInstance + "/frames/{frames}", "frames")].flatMap { path, name in
            [("rendered", "as pictures"), ("thumbnail", "in small")].map { word, how in
                WebRoute(
                    method: "GET", root: "", path: "\(path)/\(word)",
                    about: "Shows \(name) of an arriving study \(how).",
                    parameters: word == "rendered" ? renderedParameters : thumbnailParameters,
                    answers: [(200, movingTypes), (304, []), (501, [])])
            }
        }

    private static let arrivingInstance = Door.arrivingPath + "/{transfer}/instances/{instance}"

    /// The path's parameters.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }
}
