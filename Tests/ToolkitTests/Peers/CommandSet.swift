/// Just enough of PS3.7 to talk to real peers: command sets in implicit little endian.
struct CommandSet {
    static let affectedSOPClassUID: UInt16 = 0x0002
    static let commandField: UInt16 = 0x0100
    static let messageID: UInt16 = 0x0110
    static let messageIDBeingRespondedTo: UInt16 = 0x0120
    static let priority: UInt16 = 0x0700
    static let dataSetType: UInt16 = 0x0800
    static let status: UInt16 = 0x0900
    static let affectedSOPInstanceUID: UInt16 = 0x1000

    static let noDataSet: UInt16 = 0x0101
    static let storeRequest: UInt16 = 0x0001
    static let echoRequest: UInt16 = 0x0030

    private var elements: [UInt16: [UInt8]] = [:]

    init() {}

    init(bytes: [UInt8]) {
        var offset = 0
        while offset + 8 <= bytes.count {
            let element = UInt16(bytes[offset + 2]) | UInt16(bytes[offset + 3]) << 8
            let count = Int(bytes[offset + 4]) | Int(bytes[offset + 5]) << 8
            guard offset + 8 + count <= bytes.count else { return }
            elements[element] = Array(bytes[(offset + 8)..<(offset + 8 + count)])
            offset += 8 + count
        }
    }

    subscript(number element: UInt16) -> UInt16? {
        get { elements[element].map { UInt16($0[0]) | UInt16($0[1]) << 8 } }
        set { elements[element] = newValue.map { [UInt8($0 & 0xff), UInt8($0 >> 8)] } }
    }

    subscript(text element: UInt16) -> String? {
        get { elements[element].map { String(decoding: $0.filter { $0 != 0 }, as: UTF8.self) } }
        set { elements[element] = newValue.map { $0.utf8.count.isMultiple(of: 2) ? Array($0.utf8) : $0.utf8 + [0] } }
    }

    var hasDataSet: Bool { self[number: Self.dataSetType] != Self.noDataSet }

    /// The response to this request: success, no data set.
    var response: CommandSet {
        var response = CommandSet()
        response[text: Self.affectedSOPClassUID] = self[text: Self.affectedSOPClassUID]
        response[text: Self.affectedSOPInstanceUID] = self[text: Self.affectedSOPInstanceUID]
        response[number: Self.commandField] = (self[number: Self.commandField] ?? 0) | 0x8000
        response[number: Self.messageIDBeingRespondedTo] = self[number: Self.messageID]
        response[number: Self.dataSetType] = Self.noDataSet
        response[number: Self.status] = 0
        return response
    }

    static func echo(messageID: UInt16) -> CommandSet {
        var request = CommandSet()
        request[text: affectedSOPClassUID] = SOPClass.verification
        request[number: commandField] = echoRequest
        request[number: Self.messageID] = messageID
        request[number: dataSetType] = noDataSet
        return request
    }

    static func store(messageID: UInt16, sopClassUID: String, sopInstanceUID: String) -> CommandSet {
        var request = CommandSet()
        request[text: affectedSOPClassUID] = sopClassUID
        request[number: commandField] = storeRequest
        request[number: Self.messageID] = messageID
        request[number: priority] = 0
        request[number: dataSetType] = 0
        request[text: affectedSOPInstanceUID] = sopInstanceUID
        return request
    }

    var encoded: [UInt8] {
        var body: [UInt8] = []
        for (element, value) in elements.sorted(by: { $0.key < $1.key }) {
            body += [0, 0, UInt8(element & 0xff), UInt8(element >> 8)] + littleEndian(value.count) + value
        }
        return [0, 0, 0, 0] + littleEndian(4) + littleEndian(body.count) + body
    }

    private func littleEndian(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }
}

enum SOPClass {
    static let verification = "1.2.840.10008.1.1"
    static let ctImageStorage = "1.2.840.10008.5.1.4.1.1.2"
}

enum Syntax {
    static let implicitLittleEndian = "1.2.840.10008.1.2"
    static let explicitLittleEndian = "1.2.840.10008.1.2.1"
}
