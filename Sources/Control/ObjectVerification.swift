/// What reading every stored object again came to.
public struct ObjectVerification: Codable, Hashable, Sendable {
    /// How many of the damaged are named.
    public static let nameLimit = 10_000

    /// A damaged object, for its operator alone.
    public struct Damaged: Codable, Hashable, Sendable {
        public var studyInstanceUID: String
        public var sopInstanceUID: String

        public init(studyInstanceUID: String, sopInstanceUID: String) {
            self.studyInstanceUID = studyInstanceUID
            self.sopInstanceUID = sopInstanceUID
        }
    }

    /// Objects of the catalogue that were read.
    public var objects = 0
    public var damagedCount = 0
    /// The first `nameLimit` of the damaged.
    public var damaged: [Damaged] = []
    /// Damaged objects that nobody is shown: removed, or replaced by whole ones that were sent again, and not destroyed yet.
    public var damagedHidden = 0
    /// Places in the packs where an object was kept whose record cannot be read, and which is in no list therefore.
    public var unlisted = 0

    public init() {}

    public mutating func note(_ object: Damaged) {
        damagedCount += 1
        if damaged.count < Self.nameLimit { damaged.append(object) }
    }

    /// Whether all that is shown can be had as it was sent.
    public var isIntact: Bool { damagedCount == 0 && unlisted == 0 }
}
