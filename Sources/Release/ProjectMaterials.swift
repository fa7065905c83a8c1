import Deidentification

/// What a project's releases are made with.
public struct ProjectMaterials: Sendable {
    public var key: ProjectKey
    /// The site's rules as JSON, read for each profile anew; nil without any.
    public var siteRules: [UInt8]?
    /// By the project's rules for pixels; nil where nothing cleans pixels.
    public var pixelCleaner: (any PixelCleaner)?
    /// Of those who may bring the identity back; nil without any.
    public var escrow: Escrow?

    public init(
        key: ProjectKey, siteRules: [UInt8]? = nil, pixelCleaner: (any PixelCleaner)? = nil, escrow: Escrow? = nil
    ) {
        self.key = key
        self.siteRules = siteRules
        self.pixelCleaner = pixelCleaner
        self.escrow = escrow
    }
}
