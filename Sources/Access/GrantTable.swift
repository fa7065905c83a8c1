/// The grants that stand, found by their identifier and by who gets them: a request looks at its own and at no other.
struct GrantTable {
    private var byID: [String: Grant] = [:]
    private var byGrantee: [Grant.Grantee: [String: Grant]] = [:]

    var count: Int { byID.count }
    var all: some Collection<Grant> { byID.values }

    subscript(id: String) -> Grant? { byID[id] }

    /// Those for an institution and for a person of it.
    func grants(institution: String, person: String?) -> [Grant] {
        guard !byID.isEmpty else { return [] }
        var found = Array(byGrantee[.institution(institution)]?.values ?? [:].values)
        if let person { found += byGrantee[.person(person)]?.values ?? [:].values }
        return found
    }

    mutating func insert(_ grant: Grant) {
        byID[grant.id] = grant
        byGrantee[grant.grantee, default: [:]][grant.id] = grant
    }

    mutating func remove(_ grant: Grant) {
        byID[grant.id] = nil
        byGrantee[grant.grantee]?[grant.id] = nil
        if byGrantee[grant.grantee]?.isEmpty == true { byGrantee[grant.grantee] = nil }
    }
}
