import Access
import Catalog

extension Visibility {
    /// What was decided, in the catalogue's words.
    public init(_ reach: Reach) {
        switch reach {
        case .everything: self = .everything
        case .limited(let institutions, let studies):
            self = .limited(Sight(institutions: institutions, studies: studies))
        }
    }
}
