/// Reads datasets in the DICOM JSON model. PS3.18 Annex F.
///
/// The text is held by who gives it; one dataset at a time is held besides. Recursive, within the depth of `ModelLimits`.
public enum JSONModelReader {
    /// Reads one dataset, or an array of them, one after another.
    ///
    /// - Parameter each: given each dataset; what is wrong with one is its `problem`.
    /// - Throws: `.badSyntax`, `.tooDeep`, `.tooManyNodes`, `.notADataset`; those before were given.
    public static func read(
        _ text: [UInt8], limits: ModelLimits = ModelLimits(), each: (ModelDataset) -> Void
    ) throws(ModelError) {
        var parser = JSONParser(text, limits: limits)
        if parser.peek() == UInt8(ascii: "{") {
            each(try dataset(parser.value(), limits))
        } else {
            guard parser.take("[") else { throw parser.isAtEnd ? .notADataset : parser.failure }
            if !parser.take("]") {
                repeat { each(try dataset(parser.value(), limits)) } while parser.take(",")
                guard parser.take("]") else { throw parser.failure }
            }
        }
        guard parser.peek() == 0, parser.isAtEnd else { throw parser.failure }
    }

    private static func dataset(_ tree: JSONTree, _ limits: ModelLimits) throws(ModelError) -> ModelDataset {
        guard case .object(let members) = tree else { throw .notADataset }
        var builder = JSONModelBuilder(limits: limits)
        builder.model.dataset = builder.dataset(members)
        return builder.model
    }
}

/// Makes a dataset of a tree.
private struct JSONModelBuilder {
    let limits: ModelLimits
    var model = ModelDataset()

    init(limits: ModelLimits) { self.limits = limits }

    private mutating func note(_ problem: ModelError) { model.problem = model.problem ?? problem }

    mutating func dataset(_ members: [(name: [UInt8], value: JSONTree)]) -> Dataset {
        var elements: [Element] = []
        elements.reserveCapacity(members.count)
        for (name, value) in members {
            guard let tag = Tag(model: name) else {
                note(.badTag)
                continue
            }
            guard case .object(let attribute) = value else {
                note(.badValue(tag))
                continue
            }
            // Group lengths are made anew.
            if tag.isGroupLength { continue }
            if let element = element(tag, attribute) { elements.append(element) }
        }
        return Dataset(elements)
    }

    private mutating func element(_ tag: Tag, _ members: [(name: [UInt8], value: JSONTree)]) -> Element? {
        func member(_ name: StaticString) -> JSONTree? {
            members.first { member in name.withUTF8Buffer { $0.elementsEqual(member.name) } }?.value
        }
        var vr = Dictionary.vr(of: tag)
        if let named = member("vr") {
            guard case .string(let letters) = named, letters.count == 2, let known = VR(bytes: letters[0], letters[1])
            else {
                note(.badVR(tag))
                return nil
            }
            vr = known
        }
        guard let vr else {
            note(.badVR(tag))
            return nil
        }
        guard let value = value(tag, vr, member("Value"), member("InlineBinary"), member("BulkDataURI")) else {
            if model.problem == nil { note(.badValue(tag)) }
            return nil
        }
        return Element(tag, vr, value)
    }

    private mutating func value(
        _ tag: Tag, _ vr: VR, _ values: JSONTree?, _ inline: JSONTree?, _ address: JSONTree?
    ) -> Value? {
        if let address {
            guard case .string(let text) = address, vr != .SQ else { return nil }
            guard let value = model.address(String(decoding: text, as: UTF8.self), limits: limits) else {
                note(.addressTooLong(tag, byteCountLimit: limits.addressByteCount))
                return nil
            }
            return value
        }
        if let inline {
            guard case .string(let text) = inline, !vr.isString, vr != .SQ, let bytes = Base64.decode(text) else {
                return nil
            }
            return .bytes(bytes)
        }
        var list: [JSONTree] = []
        switch values {
        case nil, .null: break
        case .array(let found): list = found
        default: return nil
        }
        if vr == .SQ { return items(list).map { .items($0) } }
        var texts: [[UInt8]?] = []
        texts.reserveCapacity(list.count)
        for value in list {
            guard let text = text(value, vr) else { return nil }
            texts.append(text.isEmpty ? nil : text)
        }
        return ModelValues.bytes(texts, vr).map { .bytes($0) }
    }

    private mutating func items(_ list: [JSONTree]) -> [Dataset]? {
        var result: [Dataset] = []
        for value in list {
            switch value {
            case .object(let members): result.append(dataset(members))
            case .null: result.append(Dataset())
            default: return nil
            }
        }
        return result
    }

    /// The text of one value; empty for null, nil for what is none.
    private func text(_ value: JSONTree, _ vr: VR) -> [UInt8]? {
        switch value {
        case .null: return []
        case .string(let text): return text
        case .number(let text): return vr == .DS || vr == .IS ? ModelValues.decimal(text, vr) : text
        case .object(let groups) where vr == .PN: return name(groups)
        default: return nil
        }
    }

    /// PS3.18 §F.2.2: component groups by name.
    private func name(_ groups: [(name: [UInt8], value: JSONTree)]) -> [UInt8]? {
        let names = ["Alphabetic", "Ideographic", "Phonetic"]
        var result: [[UInt8]] = [[], [], []]
        for (name, value) in groups {
            guard let index = names.firstIndex(of: String(decoding: name, as: UTF8.self)) else { return nil }
            switch value {
            case .string(let text): result[index] = text
            case .null: break
            default: return nil
            }
        }
        while result.count > 1, result.last?.isEmpty == true { result.removeLast() }
        return Array(result.joined(separator: [UInt8(ascii: "=")]))
    }
}
