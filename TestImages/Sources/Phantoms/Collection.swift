/// Every phantom that is committed, each drawn only when it is asked for.
public struct PhantomCollection: Sendable {
    public let seed: Seed
    private let recipes: [@Sendable (Seed) -> Phantom]

    public init(seed: Seed = .committed) {
        self.seed = seed
        recipes =
            TomographyPhantoms.recipes + ResonancePhantoms.recipes + RadiographyPhantoms.recipes
            + UltrasoundPhantoms.recipes + AngiographyPhantoms.recipes + SecondaryCapturePhantoms.recipes
            + ReportPhantoms.recipes + DocumentPhantoms.recipes + WaveformPhantoms.recipes
            + PhotographPhantoms.recipes + SlidePhantoms.recipes + ReferencePhantoms.recipes
            + StructureSetPhantoms.recipes + EnhancedPhantoms.recipes + EncodingPhantoms.recipes
            + CharacterSetPhantoms.recipes
    }

    public var count: Int { recipes.count }

    /// Draws them one after another.
    public func forEach<Failure: Error>(_ body: (Phantom) throws(Failure) -> Void) throws(Failure) {
        for recipe in recipes { try body(recipe(seed)) }
    }
}
