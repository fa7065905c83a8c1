import DICOM

/// One DICOM file to be written.
public struct Phantom: Sendable {
    /// The file's name without its extension.
    public let name: String
    /// What it shows, for the manifest.
    public let shows: String
    public let sopClassUID: String
    public internal(set) var transferSyntax = TransferSyntax.explicitVRLittleEndian
    /// The terms of (0008,0005) it is written in.
    public internal(set) var characterSet: [String]
    /// Everything but pixel data.
    public internal(set) var dataset: Dataset
    var pixels: Pixels?

    /// An instance with the modules that every composite object has: Patient, General Study, General Series,
    /// General Equipment and SOP Common. PS3.3 §C.7 and §C.12.1.
    init(_ name: String, shows: String, sopClassUID: String, series: Series, number: Int, seed: Seed) {
        self.name = name
        self.shows = shows
        self.sopClassUID = sopClassUID
        let visit = series.visit
        characterSet = visit.subject.characterSet
        dataset = Dataset([
            "SOPClassUID": .text(sopClassUID), "SOPInstanceUID": .text(seed.uid("instance \(name)")),
            "StudyDate": .text(visit.date), "SeriesDate": .text(visit.date), "ContentDate": .text(visit.date),
            "StudyTime": .text(visit.time), "SeriesTime": .text(visit.time), "ContentTime": .text(visit.time),
            "InstanceCreationDate": .text(visit.date), "InstanceCreationTime": .text(visit.time),
            "AccessionNumber": .text("A\(visit.date.suffix(6))\(visit.subject.id.suffix(2))"),
            "Modality": .text(series.modality), "Manufacturer": "Huizhen", "InstitutionName": "Phantom Hospital",
            "ReferringPhysicianName": "Referrer^Invented", "StudyDescription": .text(visit.description),
            "SeriesDescription": .text(series.description), "ManufacturerModelName": "Phantom generator",
            "DeviceSerialNumber": "1", "SoftwareVersions": "1", "PatientName": .text(visit.subject.name),
            "PatientID": .text(visit.subject.id), "IssuerOfPatientID": "HUIZHEN-PHANTOMS",
            "PatientBirthDate": .text(visit.subject.birthDate), "PatientSex": .text(visit.subject.sex),
            "StudyInstanceUID": .text(series.studyUID(seed)), "SeriesInstanceUID": .text(series.uid(seed)),
            "StudyID": .text(String(visit.date.suffix(4))), "SeriesNumber": .number(series.number),
            "InstanceNumber": .number(number),
        ])
        if !series.bodyPart.isEmpty { dataset.put("BodyPartExamined", .text(series.bodyPart)) }
    }

    /// For objects without the General Image or a document module, which date themselves otherwise.
    mutating func removeContentDate() {
        dataset.remove(.contentDate)
        dataset.remove(.contentTime)
    }

    /// The whole file. PS3.10 §7.
    public func part10() -> [UInt8] {
        var dataset = dataset
        var encapsulated: [UInt8] = []
        if let pixels {
            if transferSyntax.isEncapsulated {
                encapsulated = pixels.encapsulated(transferSyntax)
            } else {
                dataset.set(.pixelData, pixels.bytesPerSample > 1 ? .OW : .OB, bytes: pixels.frames.flatMap { $0 })
            }
        }
        let inner: TransferSyntax =
            transferSyntax.isDeflated || transferSyntax.isEncapsulated ? .explicitVRLittleEndian : transferSyntax
        let terms = CharacterSet(characterSet)
        var body = dataset.encoded(transferSyntax: inner, characterSet: terms) + encapsulated
        if transferSyntax.isDeflated {
            body = Deflate.compress(body)
            // PS3.5 §A.5: padded to even length.
            if body.count % 2 == 1 { body.append(0) }
        }
        return Part10.header(
            sopClassUID: sopClassUID, sopInstanceUID: dataset.string(.sopInstanceUID) ?? "",
            transferSyntax: transferSyntax) + body
    }

    /// What precedes native pixel data of a known length that is written piece by piece.
    func part10Beginning(pixelByteCount: UInt32) -> [UInt8] {
        var bytes = Phantom(self, name: name, shows: shows).part10()
        bytes += [0xE0, 0x7F, 0x10, 0x00, UInt8(ascii: "O"), UInt8(ascii: "W"), 0, 0]
        return bytes + (0..<4).map { UInt8(truncatingIfNeeded: pixelByteCount >> (8 * $0)) }
    }

    /// The terms that the file really declares: none when all its text is ASCII.
    var declaredCharacterSet: [String] {
        let encoded = dataset.encoded(
            transferSyntax: .explicitVRLittleEndian, characterSet: CharacterSet(characterSet))
        let read = try? Dataset.parse(encoded, transferSyntax: .explicitVRLittleEndian)
        return read?.strings(.specificCharacterSet) ?? []
    }

    /// The instance again under another name, that is another SOP Instance UID, in another transfer syntax.
    func copy(_ name: String, shows: String, in transferSyntax: TransferSyntax, number: Int, seed: Seed) -> Phantom {
        var copy = Phantom(self, name: name, shows: shows)
        copy.transferSyntax = transferSyntax
        copy.dataset.put([
            "SOPInstanceUID": .text(seed.uid("instance \(name)")), "InstanceNumber": .number(number),
        ])
        return copy
    }

    private init(_ other: Phantom, name: String, shows: String) {
        self.name = name
        self.shows = shows
        sopClassUID = other.sopClassUID
        characterSet = other.characterSet
        dataset = other.dataset
        pixels = other.pixels
    }
}
