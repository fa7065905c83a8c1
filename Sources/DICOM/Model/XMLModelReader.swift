import CExpat

/// Reads a dataset in the Native DICOM Model while it comes. PS3.19 §A.1.
///
/// Document type declarations are refused, so nothing outside the text is read and nothing in it grows. Used by one thread;
/// holds the dataset.
public final class XMLModelReader {
    private let parser: XML_Parser
    private var builder: XMLModelBuilder
    private var failure: ModelError?

    public init(limits: ModelLimits = ModelLimits()) throws(ModelError) {
        guard let parser = XML_ParserCreate(nil) else { throw .outOfMemory }
        self.parser = parser
        builder = XMLModelBuilder(limits: limits)
        // The parser calls back only while it is fed, and the reader outlives that.
        XML_SetUserData(parser, Unmanaged.passUnretained(self).toOpaque())
        XML_SetElementHandler(
            parser,
            { data, name, attributes in
                XMLModelReader.from(data)?.change { builder throws(ModelError) in
                    try builder.begin(XMLName.read(name), XMLName.read(list: attributes))
                }
            },
            { data, _ in
                XMLModelReader.from(data)?.change { builder throws(ModelError) in try builder.end() }
            })
        XML_SetCharacterDataHandler(parser) { data, text, count in
            guard let text else { return }
            let bytes = UnsafeRawBufferPointer(start: text, count: Int(count))
            XMLModelReader.from(data)?.change { $0.text(bytes) }
        }
        XML_SetStartDoctypeDeclHandler(parser) { data, _, _, _, _ in
            XMLModelReader.from(data)?.change { _ throws(ModelError) in throw .documentType }
        }
    }

    deinit { XML_ParserFree(parser) }

    private static func from(_ data: UnsafeMutableRawPointer?) -> XMLModelReader? {
        data.map { Unmanaged<XMLModelReader>.fromOpaque($0).takeUnretainedValue() }
    }

    private func change(_ body: (inout XMLModelBuilder) throws(ModelError) -> Void) {
        guard failure == nil else { return }
        do throws(ModelError) { try body(&builder) } catch {
            failure = error
            _ = XML_StopParser(parser, XML_Bool(XML_FALSE))
        }
    }

    /// The next bytes of the text.
    public func feed(_ bytes: UnsafeRawBufferPointer) throws(ModelError) {
        var rest = bytes
        while !rest.isEmpty {
            // The parser's lengths are of 32 bits.
            let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 20))
            try parse(part, isLast: false)
            rest = UnsafeRawBufferPointer(rebasing: rest[part.count...])
        }
    }

    /// The dataset, once everything was fed.
    public func finish() throws(ModelError) -> ModelDataset {
        try parse(UnsafeRawBufferPointer(start: nil, count: 0), isLast: true)
        guard builder.isDataset else { throw .notADataset }
        return builder.model
    }

    private func parse(_ bytes: UnsafeRawBufferPointer, isLast: Bool) throws(ModelError) {
        if let failure { throw failure }
        let text = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        let status = XML_Parse(parser, text, CInt(bytes.count), isLast ? 1 : 0)
        if let failure { throw failure }
        guard status != XML_STATUS_ERROR else {
            let error: ModelError =
                XML_GetErrorCode(parser) == XML_ERROR_NO_MEMORY
                ? .outOfMemory : .badSyntax(byteOffset: Int(XML_GetCurrentByteIndex(parser)))
            failure = error
            throw error
        }
    }
}

/// Names as the parser gives them.
private enum XMLName {
    /// Without a namespace's prefix.
    static func read(_ text: UnsafePointer<CChar>?) -> String {
        guard let text else { return "" }
        let name = String(cString: text)
        return name.lastIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name
    }

    /// Names and values in turn, until a null.
    static func read(list: UnsafeMutablePointer<UnsafePointer<CChar>?>?) -> [String: String] {
        var result: [String: String] = [:]
        var next = list
        while let pair = next, let name = pair[0], let value = pair[1] {
            result[String(cString: name)] = String(cString: value)
            next = pair + 2
        }
        return result
    }
}
