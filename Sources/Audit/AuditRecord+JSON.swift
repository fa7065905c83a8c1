/// JSON as `huizhen audit search --json` and the export print it: names instead of numbers, times as RFC 3339 in UTC.
extension AuditActor.Kind: Codable {
    /// The name by which JSON has it.
    public var name: String { "\(self)" }

    public init(from decoder: any Decoder) throws { self = try decoder.named(Self.allCases) { $0.name } }

    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
}

extension AuditObject.Kind: Codable {
    /// The name by which JSON has it.
    public var name: String { "\(self)" }

    public init(from decoder: any Decoder) throws { self = try decoder.named(Self.allCases) { $0.name } }

    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
}

extension AuditEvent: Codable {
    public init(from decoder: any Decoder) throws { self = try decoder.named(Self.allCases) { $0.name } }

    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
}

extension AuditOutcome: Codable {
    /// The name by which a search asks for it.
    public var name: String { "\(self)" }

    public init?(name: String) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    public init(from decoder: any Decoder) throws { self = try decoder.named(Self.allCases) { $0.name } }

    public func encode(to encoder: any Encoder) throws { try name.encode(to: encoder) }
}

extension Decoder {
    fileprivate func named<T>(_ all: [T], _ name: (T) -> String) throws -> T {
        let text = try singleValueContainer().decode(String.self)
        guard let found = all.first(where: { name($0) == text }) else {
            throw DecodingError.dataCorrupted(.init(codingPath: codingPath, debugDescription: "a name nobody knows"))
        }
        return found
    }
}

extension AuditActor: Codable {
    private enum CodingKeys: String, CodingKey { case kind, name, user, institution, address }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            kind: try values.decode(Kind.self, forKey: .kind), name: try values.decode(String.self, forKey: .name),
            user: try values.decodeIfPresent(String.self, forKey: .user) ?? "",
            institution: try values.decodeIfPresent(String.self, forKey: .institution) ?? "",
            address: try values.decodeIfPresent(String.self, forKey: .address) ?? "")
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(name, forKey: .name)
        if !user.isEmpty { try values.encode(user, forKey: .user) }
        if !institution.isEmpty { try values.encode(institution, forKey: .institution) }
        if !address.isEmpty { try values.encode(address, forKey: .address) }
    }
}

extension AuditRecord: Codable {
    private enum CodingKeys: String, CodingKey {
        case sequence, time, event, outcome, actor, door, objects, instances, reason
    }

    /// When it was written, as RFC 3339 in UTC with milliseconds.
    public var timeText: String { AuditTime.text(time) }

    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let text = try values.decode(String.self, forKey: .time)
        guard let time = AuditTime.milliseconds(text) else {
            throw DecodingError.dataCorruptedError(forKey: .time, in: values, debugDescription: "no time")
        }
        self.init(
            sequence: try values.decode(UInt64.self, forKey: .sequence),
            time: time,
            entry: AuditEntry(
                try values.decode(AuditEvent.self, forKey: .event),
                try values.decode(AuditOutcome.self, forKey: .outcome),
                by: try values.decode(AuditActor.self, forKey: .actor),
                door: try values.decode(String.self, forKey: .door),
                objects: try values.decodeIfPresent([AuditObject].self, forKey: .objects) ?? [],
                instanceCount: try values.decodeIfPresent(UInt64.self, forKey: .instances),
                reason: try values.decodeIfPresent(String.self, forKey: .reason) ?? ""))
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(sequence, forKey: .sequence)
        try values.encode(timeText, forKey: .time)
        try values.encode(entry.event, forKey: .event)
        try values.encode(entry.outcome, forKey: .outcome)
        try values.encode(entry.actor, forKey: .actor)
        try values.encode(entry.door, forKey: .door)
        if !entry.objects.isEmpty { try values.encode(entry.objects, forKey: .objects) }
        try values.encodeIfPresent(entry.instanceCount, forKey: .instances)
        if !entry.reason.isEmpty { try values.encode(entry.reason, forKey: .reason) }
    }
}
