/// What identifies the people of one object, as the object's own attributes say it: taken out of its texts wherever and
/// however it is written.
///
/// A value type; equal identities share the work of making forms of them, so the objects of one study cost it once.
public struct KnownIdentities: Hashable, Sendable {
    /// Values of each kind; an object with more has its texts taken out whole.
    public static let valueLimit = 512
    /// Characters of one value; more are not one name or number, and count as too many.
    public static let characterLimit = 1024

    var names: Set<String> = []
    var identifiers: Set<String> = []
    var contacts: Set<String> = []
    var institutions: Set<String> = []
    /// The patient's day of birth, which is taken out of texts also where other dates are shifted.
    public var birthDate: CalendarDay?
    /// Whether institutions' names are taken out, those too that the object does not name.
    public var removesInstitutions = false
    private(set) var isOverfull = false

    public init() {}

    /// A value of VR PN, of whatever level and role.
    public mutating func insert(name: String) { insert(name, into: \.names) }

    /// A patient ID, accession number, admission ID and the like.
    public mutating func insert(identifier: String) { insert(identifier, into: \.identifiers) }

    /// A telephone number, an address or an electronic one.
    public mutating func insert(contact: String) { insert(contact, into: \.contacts) }

    /// The name of an institution or department that the profile removes.
    public mutating func insert(institution: String) { insert(institution, into: \.institutions) }

    private mutating func insert(_ value: String, into list: WritableKeyPath<Self, Set<String>>) {
        guard value.unicodeScalars.contains(where: { $0.properties.isAlphabetic || ("0"..."9").contains($0) }) else {
            return
        }
        guard self[keyPath: list].count < Self.valueLimit || self[keyPath: list].contains(value),
            value.unicodeScalars.count <= Self.characterLimit
        else {
            isOverfull = true
            return
        }
        self[keyPath: list].insert(value)
    }
}
