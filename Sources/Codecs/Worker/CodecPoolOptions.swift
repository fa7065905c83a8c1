import Glibc

/// Bounds of the workers; each has a unit in its name or type.
public struct CodecPoolOptions: Sendable {
    /// The program, and what makes a worker of it; three numbers are added.
    public var executable = "/proc/self/exe"
    public var arguments = ["codec-worker"]
    /// Processes at a time; they start when there is work.
    public var workerCount = max(1, Int(sysconf(CInt(_SC_NPROCESSORS_ONLN))))
    /// Frames that may wait for a worker; whoever has more to give waits too.
    public var waitingFrameCount = 64
    /// Longest a frame may take, the worker's start included.
    public var frameTimeout: Duration = .seconds(30)
    /// A worker without work ends after this.
    public var idleTimeout: Duration = .seconds(60)
    /// Largest native frame.
    public var frameByteCountLimit = FrameFormat.byteCountLimit
    /// Memory a codec may take beside the frame as it comes and goes: JPEG 2000 needs eight bytes a sample.
    public var workingByteCount = 4 << 30
    /// Processor time of one process; it is replaced long before.
    public var processorSeconds = 3600

    public init() {}

    let initialMemoryByteCount = 4 << 20
    /// Room for the longest frame as it comes and as it goes.
    var memoryReach: Int { 2 * (2 * frameByteCountLimit + (64 << 10)) + (1 << 20) }
}
