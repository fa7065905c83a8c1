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

    func studies(for route: Route, to destination: String) -> Set<String> {
        grants(for: route, to: destination).reduce(into: []) { $0.formUnion($1.studies ?? []) }
    }

    func isGranted(_ study: String, for route: Route, to destination: String) throws -> Bool {
        let isNamed = grants(for: route, to: destination).contains { grant in
            grant.studies.map { $0.contains(study) } ?? (grant.series == nil)
        }
        guard isNamed, let permit = access.permit(ofSite: destination),
            let reach = access.decision(.retrieve, by: permit).reach
        else { return false }
        func count(_ visibility: Visibility) throws -> Int {
            try archive.series(ofStudy: study, visibility: visibility, limit: Int(Int32.max)).reduce(0) {
                $0 + $1.count
            }
        }
        let all = try count(.everything)
        return try all > 0 && count(Visibility(reach)) == all
    }

    private func grants(for route: Route, to destination: String) -> [Grant] {
        guard let peer = access.peer(aeTitle: destination), peer.site != nil, !peer.institution.isEmpty else {
            return []
        }
        return access.grants(to: peer.institution).filter {
            $0.verbs.contains(.retrieve) && $0.masking == .full && route.fits(reason: $0.because)
        }
    }
}
