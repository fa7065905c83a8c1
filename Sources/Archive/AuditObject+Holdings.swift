import Audit
import Catalog
import DICOM

extension AuditObject {
    /// Studies that one record names; of more it counts the instances.
    public static let studyLimit = 1000

    /// What instances are written down as: their studies, and one instance by itself.
    public static func objects(of holdings: [Holding]) -> [AuditObject] {
        var studies: [String] = []
        var known: Set<String> = []
        for holding in holdings where known.insert(holding.studyInstanceUID).inserted {
            guard studies.count < studyLimit else { break }
            studies.append(holding.studyInstanceUID)
        }
        var objects = studies.map { AuditObject(.study, $0) }
        if holdings.count == 1, let only = holdings.first {
            objects.append(AuditObject(.instance, only.sopInstanceUID))
        }
        return objects
    }
}

extension Dataset {
    /// Keys that have values, as the record of a search shows them.
    public var summary: String {
        elements.compactMap { element in
            let values = strings(element.tag).filter { !$0.isEmpty }
            return values.isEmpty ? nil : "\(element.tag)=\(values.joined(separator: "\\"))"
        }.joined(separator: " ")
    }
}
