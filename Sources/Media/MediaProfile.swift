import DICOM

/// The general purpose application profiles, by what tells them apart here: their transfer syntaxes. PS3.11.
public enum MediaProfile: String, CaseIterable, Sendable {
    /// PS3.11 Annex D.
    case uncompressed
    /// PS3.11 Annexes H, J and M.
    case jpeg
    /// PS3.11 Annexes H, J and M.
    case jpeg2000 = "j2k"

    /// The profiles' identifiers.
    public var identifiers: [String] {
        switch self {
        case .uncompressed: ["STD-GEN-CD", "STD-GEN-DVD-RAM"]
        case .jpeg: Self.media.map { "STD-GEN-\($0)-JPEG" }
        case .jpeg2000: Self.media.map { "STD-GEN-\($0)-J2K" }
        }
    }

    private static let media = ["DVD", "BD", "USB", "MMC", "CF", "SD"]

    /// What objects may be written in; all else is rewritten in the first of them.
    public var transferSyntaxes: [TransferSyntax] {
        switch self {
        case .uncompressed: [.explicitVRLittleEndian]
        case .jpeg: [.explicitVRLittleEndian, .jpegLosslessSV1, .jpegBaseline, .jpegExtended]
        case .jpeg2000: [.explicitVRLittleEndian, .jpeg2000Lossless, .jpeg2000]
        }
    }

    /// Every profile that allows all of these.
    public static func allowing(_ transferSyntaxUIDs: some Collection<String>) -> [MediaProfile] {
        allCases.filter { profile in
            let allowed = Set(profile.transferSyntaxes.map(\.uid))
            return transferSyntaxUIDs.allSatisfy(allowed.contains)
        }
    }

    /// The profile that leaves the most objects as they are; of equal ones the simplest.
    ///
    /// - Parameter counts: objects by Transfer Syntax UID.
    public static func suiting(_ counts: [String: Int]) -> MediaProfile {
        var best = (profile: MediaProfile.uncompressed, count: -1)
        for profile in allCases {
            let count = profile.transferSyntaxes.reduce(0) { $0 + (counts[$1.uid] ?? 0) }
            if count > best.count { best = (profile, count) }
        }
        return best.profile
    }
}
