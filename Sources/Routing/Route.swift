import Catalog
import DICOM

/// A rule that forwards what comes in to peers.
public struct Route: Sendable, Codable, Equatable {
    /// What sets it off.
    public enum Event: String, Sendable, Codable, CaseIterable {
        /// Each matching instance goes as soon as it is stored.
        case arrival
        /// When a study has been quiet (`study.quiet`), all of it goes if any of its instances matches; what comes later
        /// goes when it is quiet again.
        case completion
        /// When a grant lets the institution of a destination retrieve all of a study in full, the study goes there, once it is
        /// complete and while the grant holds. Destinations are sites.
        case consultation
    }

    public static let nameLimit = 64
    public static let destinationLimit = 32

    public var name: String
    public var event: Event
    /// AE titles that sent the instance; empty for any.
    public var callingAETitles: [String]
    /// Modality (0008,0060); empty for any.
    public var modalities: [String]
    /// Study Description (0008,1030) or Series Description (0008,103E), with `*` and `?`, case-insensitive; nil for any.
    public var description: String?
    /// Station Name (0008,1010), likewise.
    public var station: String?
    /// Reason of the grant: the consultation it rests on, likewise; nil for any. For `consultation` only.
    public var consultation: String?
    /// AE titles of peers. An instance never goes back to the peer that sent it.
    public var destinations: [String]
    /// 0...9, higher first.
    public var priority: Int

    public init(
        name: String, event: Event, callingAETitles: [String] = [], modalities: [String] = [],
        description: String? = nil, station: String? = nil, consultation: String? = nil, destinations: [String],
        priority: Int = 5
    ) {
        self.name = name
        self.event = event
        self.callingAETitles = callingAETitles
        self.modalities = modalities
        self.description = description
        self.station = station
        self.consultation = consultation
        self.destinations = destinations
        self.priority = priority
    }

    /// What is wrong with it, in words; nil when nothing is.
    public var fault: String? {
        if name.isEmpty || name.count > Self.nameLimit { return "a route's name has 1 to \(Self.nameLimit) characters" }
        if destinations.isEmpty || destinations.count > Self.destinationLimit {
            return "a route has 1 to \(Self.destinationLimit) destinations"
        }
        if let title = (destinations + callingAETitles).first(where: { AETitle($0) == nil }) {
            return "\(title) is no AE title"
        }
        if consultation != nil, event != .consultation { return "a consultation is of routes on consultation" }
        return (0...9).contains(priority) ? nil : "a priority is 0 to 9"
    }

    /// Whether a grant with this reason sets it off.
    public func fits(reason: String) -> Bool { consultation.map { Arrived.fits($0, [reason]) } ?? true }

    func matches(_ arrived: Arrived) -> Bool {
        func allows(_ wanted: [String], _ value: String) -> Bool { wanted.isEmpty || wanted.contains(value) }
        func fits(_ pattern: String?, _ values: [String]) -> Bool {
            guard let pattern else { return true }
            return Arrived.fits(pattern, values)
        }
        return allows(callingAETitles, arrived.callingAETitle) && allows(modalities, arrived.modality)
            && fits(description, [arrived.studyDescription, arrived.seriesDescription])
            && fits(station, [arrived.stationName])
    }
}
