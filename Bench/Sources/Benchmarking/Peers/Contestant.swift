import Foundation

/// Who takes part in a row.
public enum Contestant: String, Codable, CaseIterable, Sendable {
    case huizhen
    case orthancAsInstalled
    case orthancTuned
    case storescpTuned
    case dcmqrscpTuned
    case orthancWeb

    public var label: String {
        switch self {
        case .huizhen: "Huizhen"
        case .orthancAsInstalled: "Orthanc, as installed"
        case .orthancTuned: "Orthanc, tuned"
        case .storescpTuned: "storescp, tuned"
        case .dcmqrscpTuned: "dcmqrscp, tuned"
        case .orthancWeb: "Orthanc with DICOMweb, tuned"
        }
    }
}

/// Where C-MOVE sends objects.
struct MoveDestination: Sendable {
    let aeTitle: String
    let port: Int
}

/// What a contestant's plan is made from.
struct StartContext {
    let tools: Tools
    let versions: Versions
    /// A folder of its own, made and empty.
    let folder: String
    let logFolder: String
    let huizhen: String
    var destination: MoveDestination?
    /// Several associations at once are coming.
    var concurrent = false
    /// For a row over TLS.
    var tls: TLSPair?
    /// It is called from the other end of a long line.
    var isAtLine = false
    /// Where it finds its like at the far end.
    var farPort: Int?
    /// It has a door for other sites, which must have a port of its own.
    var hasTransfers = false
    /// Settings of our own service that are not at their default: "key=value".
    var settings: [String] = []

    func log(_ name: String) -> String { "\(logFolder)/\(name).log" }
}

/// Versions of all programs, asked for once.
public struct Versions: Sendable {
    let huizhen: String
    let orthanc: String
    /// Debian's package of Orthanc's plugin.
    let webPlugin: String
    let storescp: String
    let dcmqrscp: String
    /// DCMTK's clients.
    public let clients: String

    init(tools: Tools, huizhen path: String?, folder: String) {
        huizhen = path.map { Tools.firstLine(of: $0, "--version", in: folder) } ?? ""
        orthanc = tools.version("Orthanc", in: folder)
        webPlugin = Tools.debianVersion(of: "orthanc-dicomweb", in: folder)
        storescp = tools.version("storescp", in: folder)
        dcmqrscp = tools.version("dcmqrscp", in: folder)
        clients = tools.version("storescu", in: folder)
    }
}

extension Contestant {
    func plan(_ context: StartContext) throws(BenchError) -> ServerPlan {
        switch self {
        case .huizhen: try HuizhenPeer.plan(context)
        case .orthancAsInstalled: try OrthancPeer.plan(context, label: label, tuned: false)
        case .orthancTuned: try OrthancPeer.plan(context, label: label, tuned: true)
        case .storescpTuned: try StorescpPeer.plan(context, label: label)
        case .dcmqrscpTuned: try DcmqrscpPeer.plan(context, label: label)
        case .orthancWeb: try OrthancPeer.plan(context, label: label, tuned: true, speaksWeb: true)
        }
    }
}
