import Access

/// Which transfers somebody is shown.
struct TransferSight {
    private enum Sites {
        case all
        /// Those of one institution.
        case of(String)
        case none
    }

    private let sites: Sites
    /// What may be read; nil for nothing.
    let reach: Reach?

    /// - Returns: nil for whom the page is not.
    init?(_ actor: AccessActor, of access: Access) {
        switch actor {
        case .service: return nil
        case .localOperator: (sites, reach) = (.all, .everything)
        case .person(let permit):
            guard permit.isStrong else { return nil }
            if permit.roles.contains(.operator) {
                sites = .all
            } else if permit.roles.contains(.technician) {
                // Technicians of another institution look after their own lines.
                sites = permit.institution == access.settings.institution ? .all : .of(permit.institution)
            } else {
                sites = .none
            }
            reach = access.decision(.read, by: permit).reach
            if case .none = sites, reach == nil { return nil }
        }
    }

    /// Whether how a transfer with a site is doing is shown, whatever it brings.
    func contains(site: String, of access: Access) -> Bool {
        switch sites {
        case .all: true
        case .of(let institution): access.peer(aeTitle: site)?.institution == institution
        case .none: false
        }
    }
}
