import DICOM
import Keys

/// Makes the pseudonyms of a project: keyed, one way, alike in every run and at every site that has the key.
///
/// Used by one thread at a time. An empty value stays empty; different values get different pseudonyms (130 bits; 122 of a
/// UID, 80 of what must fit sixteen characters).
final class Pseudonyms {
    private let uids: KeyedHash
    private let patients: KeyedHash
    private let persons: KeyedHash
    private let identifiers: KeyedHash
    private let dates: KeyedHash
    private let report: KeyedHash
    private let folders: KeyedHash
    /// UIDs recur in a study; forgotten when it is full.
    private var known: [String: String] = [:]

    private static let knownLimit = 4096

    /// Before a patient's pseudonym, so that nobody takes it for an identifier of some hospital.
    static let patientPrefix = "HZ-"

    init(_ key: ProjectKey) throws(KeyError) {
        uids = try KeyedHash(try key.derived(for: .uid))
        patients = try KeyedHash(try key.derived(for: .patient))
        persons = try KeyedHash(try key.derived(for: .person))
        identifiers = try KeyedHash(try key.derived(for: .identifier))
        dates = try KeyedHash(try key.derived(for: .dates))
        report = try KeyedHash(try key.derived(for: .report))
        folders = try KeyedHash(try key.derived(for: .folder))
    }

    /// Under 2.25, a UUID of version 8 whose bits are the hash's. PS3.5 §B.2, RFC 9562 §5.8.
    func uid(_ uid: String) throws(KeyError) -> String {
        if uid.isEmpty { return uid }
        if let known = known[uid] { return known }
        let hash = try uids.hash([Array(uid.utf8)])
        var bits = hash[..<16].reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        bits = bits & ~(UInt128(0xF) << 76) | UInt128(0x8) << 76
        bits = bits & ~(UInt128(0x3) << 62) | UInt128(0x2) << 62
        let result = "2.25.\(bits)"
        if known.count >= Self.knownLimit { known.removeAll(keepingCapacity: true) }
        known[uid] = result
        return result
    }

    /// For Patient ID (0010,0020) and Patient's Name (0010,0010).
    func patient(_ identity: PatientIdentity) throws(KeyError) -> String {
        Self.patientPrefix + Self.base32(try patients.hash(identity.parts), count: 26)
    }

    /// For somebody else's name.
    func person(_ name: String) throws(KeyError) -> String {
        if name.isEmpty { return name }
        return Self.patientPrefix + "P" + Self.base32(try persons.hash([Array(name.utf8)]), count: 26)
    }

    /// For an identifier of a kind, such as an accession number.
    ///
    /// - Parameter characterCount: what the VR has room for; at most 26 are used.
    func identifier(_ value: String, kind: Tag, characterCount: Int) throws(KeyError) -> String {
        if value.isEmpty { return value }
        let hash = try identifiers.hash([Array(kind.hex.utf8), Array(value.utf8)])
        return Self.base32(hash, count: min(26, characterCount))
    }

    /// For a folder or a file: no UID stands in a name.
    func folder(_ value: String) throws(KeyError) -> String {
        Self.base32(try folders.hash([Array(value.utf8)]), count: 16)
    }

    /// By how many days a patient's dates are moved: 1 to 3652 into the past.
    func dayOffset(_ identity: PatientIdentity) throws(KeyError) -> Int {
        let hash = try dates.hash(identity.parts)
        let number = hash[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return -1 - Int(number % 3652)
    }

    /// What the report says of a value, so that who has the key can look whether it was a certain one.
    func digest(_ value: [UInt8], of tag: Tag) throws(KeyError) -> String {
        Self.base32(try report.hash([Array(tag.hex.utf8), value]), count: 26)
    }

    /// RFC 4648 §6 without padding: five bits a character.
    static func base32(_ bytes: [UInt8], count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { letters in
            var letterCount = 0
            var bits: UInt32 = 0
            var bitCount: UInt32 = 0
            for byte in bytes where letterCount < count {
                bits = bits << 8 | UInt32(byte)
                bitCount += 8
                while bitCount >= 5, letterCount < count {
                    bitCount -= 5
                    let digit = UInt8(bits >> bitCount & 31)
                    letters[letterCount] = digit < 26 ? UInt8(ascii: "A") + digit : UInt8(ascii: "2") + digit - 26
                    letterCount += 1
                }
            }
            return letterCount
        }
    }
}

/// Who the patient is to a project: what gets the same pseudonym and the same shift of dates.
struct PatientIdentity: Hashable {
    let parts: [[UInt8]]

    /// By identifier and issuer; without an identifier by name and birth date, and without these by the study.
    init(_ dataset: Dataset) {
        let id = dataset.string(.patientID) ?? ""
        if !id.isEmpty {
            parts = ["id", id, dataset.string(.issuerOfPatientID) ?? ""].map { Array($0.utf8) }
            return
        }
        let name = dataset.string(.patientName) ?? ""
        if !name.isEmpty {
            parts = ["name", name, dataset.string(.patientBirthDate) ?? ""].map { Array($0.utf8) }
            return
        }
        parts = ["study", dataset.string(.studyInstanceUID) ?? ""].map { Array($0.utf8) }
    }
}
