import DICOM
import HTTP

/// Under which media type the frames of a transfer syntax go. PS3.18 tables 8.7.3-2 to 8.7.3-4.
enum FrameMediaType {
    private static let subtypes: [String: (String, String)] = [
        "1.2.840.10008.1.2.5": ("image", "dicom-rle"),
        "1.2.840.10008.1.2.4.50": ("image", "jpeg"), "1.2.840.10008.1.2.4.51": ("image", "jpeg"),
        "1.2.840.10008.1.2.4.57": ("image", "jpeg"), "1.2.840.10008.1.2.4.70": ("image", "jpeg"),
        "1.2.840.10008.1.2.4.80": ("image", "jls"), "1.2.840.10008.1.2.4.81": ("image", "jls"),
        "1.2.840.10008.1.2.4.90": ("image", "jp2"), "1.2.840.10008.1.2.4.91": ("image", "jp2"),
        "1.2.840.10008.1.2.4.92": ("image", "jpx"), "1.2.840.10008.1.2.4.93": ("image", "jpx"),
        "1.2.840.10008.1.2.4.201": ("image", "jphc"), "1.2.840.10008.1.2.4.202": ("image", "jphc"),
        "1.2.840.10008.1.2.4.203": ("image", "jphc"),
        "1.2.840.10008.1.2.4.110": ("image", "jxl"), "1.2.840.10008.1.2.4.111": ("image", "jxl"),
        "1.2.840.10008.1.2.4.112": ("image", "jxl"),
        "1.2.840.10008.1.2.4.100": ("video", "mpeg"), "1.2.840.10008.1.2.4.101": ("video", "mpeg"),
        "1.2.840.10008.1.2.4.102": ("video", "mp4"), "1.2.840.10008.1.2.4.103": ("video", "mp4"),
        "1.2.840.10008.1.2.4.104": ("video", "mp4"), "1.2.840.10008.1.2.4.105": ("video", "mp4"),
        "1.2.840.10008.1.2.4.106": ("video", "mp4"), "1.2.840.10008.1.2.4.107": ("video", "mp4"),
        "1.2.840.10008.1.2.4.108": ("video", "mp4"),
    ]

    /// The transfer syntax that is meant where a media type names none. PS3.18 §8.7.3.3.2.
    private static let defaults: [String: TransferSyntax] = [
        "image/jpeg": .jpegLosslessSV1, "image/dicom-rle": .rleLossless, "image/jls": .jpegLSLossless,
        "image/jp2": .jpeg2000Lossless, "image/jphc": .htj2kLossless,
        "application/octet-stream": .explicitVRLittleEndian,
    ]

    static func type(of syntax: TransferSyntax) -> MediaRange {
        let found = subtypes[syntax.uid] ?? ("application", "octet-stream")
        return MediaRange(found.0, found.1)
    }

    /// How frames are to be had that can be coded in these.
    static func available(_ syntaxes: [TransferSyntax]) -> [String] {
        syntaxes.map { "multipart/related; type=\"\(type(of: $0).essence)\"; transfer-syntax=\($0.uid)" }
    }

    /// What a media range asks for, given how the frames are stored.
    ///
    /// - Returns: nil when it does not ask for frames that can be had.
    static func choice(
        _ range: MediaRange, stored: TransferSyntax
    ) -> (syntax: TransferSyntax, isMultipart: Bool)? {
        var wanted = range
        var isMultipart = false
        if range.type == "multipart" || range.essence == "*/*" {
            isMultipart = true
            wanted = range["type"].flatMap { MediaRange($0) } ?? MediaRange("*", "*")
        }
        let storedType = type(of: stored)
        let named = range["transfer-syntax"]
        if let uid = named, uid != "*" {
            let syntax = TransferSyntax(uid: uid)
            let type = type(of: syntax)
            guard TransferSyntax.isKnown(uid: uid), wanted.takes(type.type, type.subtype) else { return nil }
            return (syntax, isMultipart)
        }
        // As they are stored, if the media type takes that; a native frame only in little endian, as all are without
        // a transfer syntax that is named.
        let isPlainNative = stored.isEncapsulated || !stored.isBigEndian
        if wanted.takes(storedType.type, storedType.subtype), isPlainNative || named != nil {
            return (stored, isMultipart)
        }
        // By octets of any transfer syntax OHIF asks for every frame, and reads in the part what it got.
        if named != nil, wanted.essence == "application/octet-stream" {
            return (stored, isMultipart)
        }
        guard named == nil, let syntax = defaults[wanted.essence] else { return nil }
        return (syntax, isMultipart)
    }
}
