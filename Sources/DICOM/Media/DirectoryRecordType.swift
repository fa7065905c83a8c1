/// What a record of a DICOMDIR describes. PS3.3 §F.5.
public enum DirectoryRecordType: String, CaseIterable, Sendable {
    case patient = "PATIENT"
    case study = "STUDY"
    case series = "SERIES"
    case image = "IMAGE"
    case rtDose = "RT DOSE"
    case rtStructureSet = "RT STRUCTURE SET"
    case rtPlan = "RT PLAN"
    case rtTreatRecord = "RT TREAT RECORD"
    case presentation = "PRESENTATION"
    case waveform = "WAVEFORM"
    case srDocument = "SR DOCUMENT"
    case keyObjectDoc = "KEY OBJECT DOC"
    case spectroscopy = "SPECTROSCOPY"
    case rawData = "RAW DATA"
    case registration = "REGISTRATION"
    case fiducial = "FIDUCIAL"
    case hangingProtocol = "HANGING PROTOCOL"
    case encapDoc = "ENCAP DOC"
    case valueMap = "VALUE MAP"
    case stereometric = "STEREOMETRIC"
    case palette = "PALETTE"
    case implant = "IMPLANT"
    case implantAssy = "IMPLANT ASSY"
    case implantGroup = "IMPLANT GROUP"
    case plan = "PLAN"
    case measurement = "MEASUREMENT"
    case surface = "SURFACE"
    case surfaceScan = "SURFACE SCAN"
    case tract = "TRACT"
    case assessment = "ASSESSMENT"
    case radiotherapy = "RADIOTHERAPY"
    case annotation = "ANNOTATION"
    case inventory = "INVENTORY"
    /// What the standard has no type for. PS3.3 §F.6.1.
    case `private` = "PRIVATE"

    /// Identifies our private records, which hold Instance Number and nothing of ours. PS3.3 §F.3.2.2.
    public static let privateRecordUID = "2.25.267114382904418856231340097215680117533"

    /// The type of an object's record; a class that is not in the standard is an image if it has rows.
    public init(sopClassUID: String, isImage: Bool) {
        self = Self.byClass[sopClassUID] ?? (isImage ? .image : .private)
    }

    /// Whether the record stands at the root, for its object belongs to no patient. PS3.3 §F.4.
    public var isRoot: Bool {
        switch self {
        case .patient, .hangingProtocol, .palette, .implant, .implantAssy, .implantGroup, .inventory: true
        default: false
        }
    }

    /// The storage classes in our dictionary whose type is known, by UID.
    public static let byClass: [String: DirectoryRecordType] = {
        var result: [String: DirectoryRecordType] = [:]
        for (uid, name) in SOPClass.storage {
            if let type = type(ofClass: uid, name: name) { result[uid] = type }
        }
        return result
    }()

    private static let storageRoot = "1.2.840.10008.5.1.4.1.1."

    private static func type(ofClass uid: String, name: String) -> DirectoryRecordType? {
        if let type = exceptions[uid] { return type }
        if uid.hasPrefix(storageRoot) {
            let rest = uid.dropFirst(storageRoot.count)
            for (prefix, type) in families where rest.hasPrefix(prefix) { return type }
        }
        // The names of all image classes, and of no others, hold the word; maps of pixels besides.
        let isImage = name.contains("Image") || name.contains("Photography")
        return isImage && !name.contains("Hardcopy") ? .image : nil
    }

    /// Whole branches of the tree of storage classes.
    private static let families: [(String, DirectoryRecordType)] = [
        ("9.100.", .presentation), ("9.", .waveform), ("11.", .presentation), ("78.", .measurement),
        ("88.", .srDocument), ("104.", .encapDoc), ("68.", .surfaceScan),
    ]

    private static let exceptions: [String: DirectoryRecordType] = {
        let parts: [String: DirectoryRecordType] = [
            "4.2": .spectroscopy, "30": .image, "66": .rawData, "66.1": .registration,
            "66.2": .fiducial, "66.3": .registration, "66.4": .image, "66.5": .surface, "66.6": .tract,
            "66.7": .image, "66.8": .image, "67": .valueMap, "77.1.5.3": .stereometric, "77.1.5.8": .image,
            "78.6": .srDocument, "79.1": .srDocument, "80.1": .measurement, "81.1": .image, "82.1": .image,
            "88.59": .keyObjectDoc, "90.1": .assessment, "91.1": .annotation, "131": .presentation,
            "6.2": .image, "201.1": .inventory, "481.1": .image, "481.2": .rtDose, "481.3": .rtStructureSet,
            "481.4": .rtTreatRecord, "481.5": .rtPlan, "481.6": .rtTreatRecord, "481.7": .rtTreatRecord,
            "481.8": .rtPlan, "481.9": .rtTreatRecord, "481.23": .image, "481.24": .image, "601.5": .waveform,
        ]
        var result: [String: DirectoryRecordType] = [:]
        for (part, type) in parts { result[storageRoot + part] = type }
        for number in [10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 25] {
            result[storageRoot + "481.\(number)"] = .radiotherapy
        }
        result["1.2.840.10008.5.1.4.34.7"] = .plan
        result["1.2.840.10008.5.1.4.34.10"] = .plan
        result["1.2.840.10008.5.1.4.34.1"] = .plan
        result["1.2.840.10008.5.1.4.38.1"] = .hangingProtocol
        result["1.2.840.10008.5.1.4.39.1"] = .palette
        result["1.2.840.10008.5.1.4.43.1"] = .implant
        result["1.2.840.10008.5.1.4.44.1"] = .implantAssy
        result["1.2.840.10008.5.1.4.45.1"] = .implantGroup
        return result
    }()
}
