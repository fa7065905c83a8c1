import Access
import Catalog

extension Visibility {
    /// What was decided, in the catalogue's words: what is reached in full. What is masked is no part of it.
    public init(_ reach: Reach) { self.init(reach, upTo: .full) }

    /// The same, with what is shown under this masking or less.
    public init(_ reach: Reach, upTo masking: Masking) {
        guard let extents = reach.extent(upTo: masking) else {
            self = .everything
            return
        }
        var sight = Sight()
        for extent in extents { sight.add(extent) }
        self = .limited(sight)
    }

    /// What is shown under this masking or less, but not in full.
    public init(maskedOf reach: Reach, upTo masking: Masking) {
        var sight = Sight()
        if case .limited(_, let masked) = reach {
            for (one, extent) in masked where one <= masking { sight.add(extent) }
        }
        self = .limited(sight)
    }
}

extension Sight {
    fileprivate mutating func add(_ extent: Extent) {
        institutions.formUnion(extent.institutions)
        for (institution, named) in extent.studies { studies[institution, default: []].formUnion(named) }
        for (institution, studies) in extent.series {
            for (study, named) in studies { series[institution, default: [:]][study, default: []].formUnion(named) }
        }
        for (institution, named) in extent.patients {
            patients[institution, default: []].formUnion(
                named.map { Patient(patientID: $0.patientID, issuer: $0.issuer) })
        }
    }
}
