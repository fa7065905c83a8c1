import Foundation

/// Brings the machine to rest between two measurements, so that nobody pays for what the one before left undone.
enum Settling {
    /// Servers that are still busy after this long are measured against as they are.
    static let bound: Duration = .seconds(15)
    private static let look: Duration = .milliseconds(100)
    /// Looks in a row that must find nothing.
    private static let quietLooks = 3
    /// What housekeeping may write between two looks.
    private static let quietByteCount = 64 << 10

    /// Writes all dirty pages out, then waits until no server uses the processor or the disk.
    static func settle(_ servers: [Server]) {
        sync()
        let clock = ContinuousClock()
        let end = clock.now + bound
        var before = total(servers)
        var quiet = 0
        while clock.now < end, quiet < quietLooks {
            Thread.sleep(forTimeInterval: look.inSeconds)
            let now = total(servers)
            // One tick is 10 ms: up to one in 100 ms is housekeeping, not work.
            let resting = now.ticks - before.ticks <= 1 && now.byteCount - before.byteCount <= quietByteCount
            quiet = resting ? quiet + 1 : 0
            before = now
        }
    }

    private static func total(_ servers: [Server]) -> (ticks: Int, byteCount: Int) {
        servers.reduce((0, 0)) { total, server in
            let tree = ProcessTree(root: server.pid)
            return (total.0 + tree.processorTicks, total.1 + tree.writtenByteCount)
        }
    }
}
