import Access
import Archive
import Catalog
import Routing
import Transfer

/// The grants that routes on consultation go by.
struct ConsultationGrants: GrantedStudies {
    let access: Access
    let archive: Archive

    var version: UInt64 { access.versionOfGrants }

    func studies(for route: Route, to destination: String) -> [String: Set<String>] {
        grants(for: route, to: destination).reduce(into: [:]) { $0[$1.id] = $1.studies.map(Set.init) }
    }

    func grantedAt(_ study: String, for route: Route, to destination: String) throws -> Int64? {
        let grants = grants(for: route, to: destination).filter { $0.studies?.contains(study) ?? true }
        // What other grants, or its being the destination's own, let it retrieve nobody wants sent for this reason.
        guard let newest = grants.map(\.madeAt).max(), let reach = access.reach(ofSite: destination, by: grants) else {
            return nil
        }
        func count(_ visibility: Visibility) throws -> Int {
            try archive.series(ofStudy: study, visibility: visibility, limit: Int(Int32.max)).reduce(0) {
                $0 + $1.count
            }
        }
        let all = try count(.everything)
        return try all > 0 && count(Visibility(reach)) == all ? newest : nil
    }

    /// Those of whole studies, in full, for a reason that fits.
    private func grants(for route: Route, to destination: String) -> [Grant] {
        guard let peer = access.peer(aeTitle: destination), peer.site != nil, !peer.institution.isEmpty else {
            return []
        }
        return access.grants(to: peer.institution).filter {
            $0.series == nil && $0.verbs.contains(.retrieve) && $0.masking == .full && route.fits(reason: $0.because)
        }
    }
}
