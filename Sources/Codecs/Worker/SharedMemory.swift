import CCodecs
import Glibc

/// Memory that a worker and its parent both see; it grows, and never shrinks.
///
/// The whole reach is mapped once; what lies beyond the memory's present end must not be touched. Used by one thread.
@safe final class SharedMemory {
    /// Longest use after which the pages stay for the next frame.
    private static let keptByteCount = 64 << 20

    let descriptor: CInt
    let reach: Int
    private(set) var byteCount: Int
    private let start: UnsafeMutableRawPointer

    /// - Parameter reach: the most it can grow to; costs address space alone.
    init(byteCount: Int, reach: Int) throws(CodecError) {
        descriptor = hz_worker_memory(UInt64(byteCount))
        guard descriptor >= 0 else { throw .workerFailed(.notStarted(errno: errno)) }
        let mapping = unsafe mmap(nil, reach, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0)
        guard let mapping = unsafe mapping, unsafe mapping != MAP_FAILED else {
            let failure = errno
            close(descriptor)
            throw .workerFailed(.notStarted(errno: failure))
        }
        unsafe start = mapping
        self.byteCount = byteCount
        self.reach = reach
    }

    deinit {
        unsafe munmap(start, reach)
        close(descriptor)
    }

    /// Makes it at least this long.
    func grow(to wanted: Int) throws(CodecError) {
        guard wanted > byteCount else { return }
        guard wanted <= reach else { throw .tooLarge(byteCount: wanted, limit: reach) }
        guard hz_worker_memory_grow(descriptor, UInt64(wanted)) == 0 else { throw .outOfMemory }
        byteCount = wanted
    }

    func bytes(_ range: Range<Int>) -> UnsafeMutableRawBufferPointer {
        precondition(range.upperBound <= byteCount)
        return unsafe UnsafeMutableRawBufferPointer(start: start + range.lowerBound, count: range.count)
    }

    /// Gives back what a large frame took.
    func relax(used: Int) {
        if used > Self.keptByteCount { hz_worker_memory_release(descriptor, 0, UInt64(byteCount)) }
    }
}
