/// What a line carried over time while one contestant worked.
public struct Trace: Codable, Equatable, Sendable {
    public let label: String
    /// How long the contestant took.
    public let seconds: Double
    public let binSeconds: Double
    /// Of all IP bytes that left the line at the far end, bin by bin.
    public let megabitsPerSecond: [Double]
    /// What the line can carry.
    public let capacity: Double
    public let lostPacketCount: Int
    /// Packets for which the queue before the line had no room.
    public let overflowedPacketCount: Int
    /// Payload and headers, in each direction.
    public let byteCountThere: Int
    public let byteCountBack: Int

    init(label: String, seconds: Double, traffic: Traffic, kind: LineKind) {
        self.label = label
        self.seconds = seconds
        binSeconds = Traffic.binSeconds
        let bins = traffic.there.prefix(Int((seconds / Traffic.binSeconds).rounded(.up)) + 1)
        megabitsPerSecond = bins.map { (Double($0) * 8e-5 / Traffic.binSeconds).rounded() / 10 }
        capacity = Double(kind.megabitsPerSecond)
        lostPacketCount = traffic.lost
        overflowedPacketCount = traffic.overflowed
        byteCountThere = traffic.there.reduce(0, +)
        byteCountBack = traffic.back.reduce(0, +)
    }
}
