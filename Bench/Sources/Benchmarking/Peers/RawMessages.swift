import Foundation

/// The few bytes of DICOM that C-FIND and C-STORE over one association need (PS3.7, PS3.8 §9.3).
enum RawMessages {
    /// What an association is for, in one presentation context.
    enum Service {
        /// Study Root, Implicit VR Little Endian.
        case find
        /// CT images, Explicit VR Little Endian.
        case store

        var name: String {
            switch self {
            case .find: "C-FIND"
            case .store: "C-STORE"
            }
        }

        var sopClass: String {
            switch self {
            case .find: "1.2.840.10008.5.1.4.1.2.2.1"
            case .store: "1.2.840.10008.5.1.4.1.1.2"
            }
        }

        var transferSyntax: String {
            switch self {
            case .find: "1.2.840.10008.1.2"
            case .store: "1.2.840.10008.1.2.1"
            }
        }
    }

    static let associateAccept: UInt8 = 2
    static let data: UInt8 = 4
    private static let associateRequest: UInt8 = 1
    private static let contextID: UInt8 = 1

    /// Statuses of the commands in one P-DATA-TF (PS3.8 §9.3.5, PS3.7 §E.1).
    static func statuses(in body: ArraySlice<UInt8>) -> [UInt16] {
        var found: [UInt16] = []
        var place = body.startIndex
        while place + 6 <= body.endIndex {
            let length = Int(big32(body, place))
            let last = place + 4 + length
            guard length >= 2, last <= body.endIndex else { break }
            if body[place + 5] & 1 == 1, let status = status(in: body[(place + 6)..<last]) { found.append(status) }
            place = last
        }
        return found
    }

    private static func status(in command: ArraySlice<UInt8>) -> UInt16? {
        var place = command.startIndex
        while place + 8 <= command.endIndex {
            let element = UInt16(command[place + 2]) | UInt16(command[place + 3]) << 8
            let length = (0..<4).reduce(0) { $0 | Int(command[place + 4 + $1]) << (8 * $1) }
            guard length <= command.endIndex - place - 8 else { return nil }
            if element == 0x0900, length == 2 { return UInt16(command[place + 8]) | UInt16(command[place + 9]) << 8 }
            place += 8 + length
        }
        return nil
    }

    /// A command set with its group length; UIDs and numbers in the order of their elements.
    private static func command(_ service: Service, field: UInt16, instance: String? = nil) -> Data {
        func uid(_ value: String) -> Data { Data(value.utf8) + Data(count: value.utf8.count % 2) }
        var fields = Data()
        fields.appendElement(0x0000, 0x0002, uid(service.sopClass))
        fields.appendElement(0x0000, 0x0100, Data(littleEndian: field))
        fields.appendElement(0x0000, 0x0110, Data(littleEndian: UInt16(1)))
        fields.appendElement(0x0000, 0x0700, Data(littleEndian: UInt16(0)))
        fields.appendElement(0x0000, 0x0800, Data(littleEndian: UInt16(1)))
        if let instance { fields.appendElement(0x0000, 0x1000, uid(instance)) }
        var command = Data()
        command.appendElement(0x0000, 0x0000, Data(littleEndian: UInt32(fields.count)))
        return command + fields
    }

    /// C-FIND-RQ (PS3.7 §9.3.2.1) and an identifier.
    static func query(_ identifier: Data) -> Data {
        pdu(data, value(command(.find, field: 0x0020), control: 3)) + pdu(data, value(identifier, control: 2))
    }

    /// C-STORE-RQ (PS3.7 §9.3.1.1) and an object, which fits one PDU.
    static func store(_ dataset: [UInt8], sopClass: String, instance: String) -> Data {
        pdu(data, value(command(.store, field: 0x0001, instance: instance), control: 3))
            + pdu(data, value(Data(dataset), control: 2))
    }

    /// All images of a series.
    static func identifier(_ identity: StudyIdentity) -> Data {
        var identifier = Data()
        identifier.appendElement(0x0008, 0x0018, Data())
        identifier.appendElement(0x0008, 0x0052, Data("IMAGE ".utf8))
        identifier.appendElement(0x0020, 0x000D, Data(identity.study.utf8))
        identifier.appendElement(0x0020, 0x000E, Data(identity.series.utf8))
        identifier.appendElement(0x0020, 0x0013, Data())
        return identifier
    }

    /// A query at study level, in UTF-8: keys as they stand, and what every list of studies shows.
    static func studies(_ keys: [StudyKey: String]) -> Data {
        var identifier = Data()
        identifier.appendElement(0x0008, 0x0005, Data("ISO_IR 192".utf8))
        for key in StudyKey.allCases {
            var value = key == .level ? Data("STUDY".utf8) : Data((keys[key] ?? "").utf8)
            if !value.count.isMultiple(of: 2) { value.append(key == .studyInstanceUID ? 0 : 0x20) }
            identifier.appendElement(UInt16(key.rawValue >> 16), UInt16(key.rawValue & 0xFFFF), value)
        }
        return identifier
    }

    /// The attributes of a list of studies, in the order of their tags.
    enum StudyKey: UInt32, CaseIterable {
        case studyDate = 0x0008_0020
        case studyTime = 0x0008_0030
        case accessionNumber = 0x0008_0050
        case level = 0x0008_0052
        case modalitiesInStudy = 0x0008_0061
        case studyDescription = 0x0008_1030
        case patientName = 0x0010_0010
        case patientID = 0x0010_0020
        case patientBirthDate = 0x0010_0030
        case patientSex = 0x0010_0040
        case studyInstanceUID = 0x0020_000D
        case studyID = 0x0020_0010
        case seriesCount = 0x0020_1206
        case instanceCount = 0x0020_1208
    }

    /// Whether an A-ASSOCIATE-AC accepts the only presentation context (PS3.8 §9.3.3.2).
    static func acceptsContext(_ body: ArraySlice<UInt8>) -> Bool {
        // Version, titles and reserved bytes come before the first item.
        var place = body.startIndex + 68
        while place + 8 <= body.endIndex {
            if body[place] == 0x21 { return body[place + 6] == 0 }
            place += 4 + (Int(body[place + 2]) << 8 | Int(body[place + 3]))
        }
        return false
    }

    static let release = Data([5, 0, 0, 0, 0, 4, 0, 0, 0, 0])

    /// A-ASSOCIATE-RQ (PS3.8 §9.3.2).
    static func request(called: String, _ service: Service) -> Data {
        func title(_ text: String) -> Data { Data(text.padding(toLength: 16, withPad: " ", startingAt: 0).utf8) }
        func item(_ type: UInt8, _ value: Data) -> Data {
            Data([type, 0]) + Data(bigEndian: UInt16(value.count)) + value
        }
        let context =
            Data([contextID, 0, 0, 0]) + item(0x30, Data(service.sopClass.utf8))
            + item(0x40, Data(service.transferSyntax.utf8))
        let user =
            item(0x51, Data(bigEndian: UInt32(131072))) + item(0x52, Data("2.25.1000000000000001".utf8))
        let body =
            Data([0, 1, 0, 0]) + title(called) + title("BENCH") + Data(repeating: 0, count: 32)
            + item(0x10, Data("1.2.840.10008.3.1.1.1".utf8)) + item(0x20, context) + item(0x50, user)
        return pdu(associateRequest, body)
    }

    private static func pdu(_ type: UInt8, _ body: Data) -> Data {
        Data([type, 0]) + Data(bigEndian: UInt32(body.count)) + body
    }

    private static func value(_ bytes: Data, control: UInt8) -> Data {
        Data(bigEndian: UInt32(bytes.count + 2)) + Data([contextID, control]) + bytes
    }

    /// The four bytes at an index, most significant first.
    static func big32(_ bytes: ArraySlice<UInt8>, _ place: Int) -> UInt32 {
        bytes[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}

extension Data {
    init<Number: FixedWidthInteger>(bigEndian number: Number) {
        self = Swift.withUnsafeBytes(of: number.bigEndian) { Data($0) }
    }

    /// An element in Implicit VR Little Endian.
    fileprivate mutating func appendElement(_ group: UInt16, _ element: UInt16, _ value: Data) {
        self +=
            Data(littleEndian: group) + Data(littleEndian: element) + Data(littleEndian: UInt32(value.count)) + value
    }
}
