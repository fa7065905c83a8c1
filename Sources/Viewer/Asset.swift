import DICOM

/// A file that pages load; all of them are part of the program.
struct Asset: Sendable {
    var type: String
    var bytes: [UInt8]
    /// Of these bytes. RFC 9110 §8.8.3.
    var tag: String

    private init(_ type: String, _ bytes: [UInt8]) {
        self.type = type
        self.bytes = bytes
        tag = "\"\(String(FNV1a(bytes).value, radix: 16))\""
    }

    static let all: [String: Asset] = [
        "viewer.css": Asset("text/css; charset=utf-8", PackageResources.viewer_css),
        "icon.svg": Asset("image/svg+xml", PackageResources.icon_svg),
        "web.js": script(PackageResources.web_js),
        "sign-in.js": script(PackageResources.sign_in_js),
        "share.js": script(PackageResources.share_js),
        "list.js": script(PackageResources.list_js),
        "transfers.js": script(PackageResources.transfers_js),
        "arriving.js": script(PackageResources.arriving_js),
        "viewer.js": script(PackageResources.viewer_js),
        "frames.js": script(PackageResources.frames_js),
        "dicom.js": script(PackageResources.dicom_js),
        "stage.js": script(PackageResources.stage_js),
        "attributes.js": script(PackageResources.attributes_js),
        "dictionary.json": Asset("application/json", keywords),
    ]

    private static func script(_ bytes: [UInt8]) -> Asset { Asset("text/javascript; charset=utf-8", bytes) }

    /// The data dictionary's keywords by tag, for the table of attributes. PS3.6 §6.
    private static var keywords: [UInt8] {
        let lines = DICOM.Dictionary.keywords.map { "\"\(hexadecimal($1))\":\"\($0)\"" }.sorted()
        return Array(("{" + lines.joined(separator: ",") + "}").utf8)
    }

    private static func hexadecimal(_ tag: Tag) -> String {
        let digits = String(tag.rawValue, radix: 16, uppercase: true)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
