import CCodecs
import Glibc

/// A worker process, from its inside.
@safe public struct CodecWorker {
    private let start: UnsafeMutableRawPointer
    private let reach: Int

    /// Maps the memory, gives up everything, and converts frames until its parent is gone. Never returns.
    ///
    /// Must be the only work of its process, with the descriptors of `CodecPool`; ends with code 2 otherwise.
    ///
    /// - Parameters:
    ///   - reach: bytes of the shared memory at its longest.
    ///   - workingByteCount: memory beyond that.
    ///   - readsText: whether text is looked for, which takes models into memory.
    public static func run(
        reach: Int, workingByteCount: Int, processorSeconds: Int, readsText: Bool = false
    ) -> Never {
        let flags = MAP_SHARED | MAP_NORESERVE
        let memory = CInt(HZ_WORKER_MEMORY)
        guard reach > 0, workingByteCount > 0, processorSeconds > 0,
            let start = unsafe mmap(nil, reach, PROT_READ | PROT_WRITE, flags, memory, 0),
            unsafe start != MAP_FAILED
        else { _exit(2) }
        close(memory)
        // Everything that is set up at first use is set up here, while files can still be read.
        hz_codecs_initialize()
        if readsText, unsafe hz_text_open("eng+chi_sim") != 0 { _exit(2) }
        var limits = HZWorkerLimits(
            memoryByteCount: UInt64(workingByteCount), processorSeconds: UInt64(processorSeconds))
        // The memory is mapped already and counted with what the process has.
        guard unsafe hz_worker_enter_sandbox(&limits, 0) == 0 else { _exit(2) }
        unsafe CodecWorker(start: start, reach: reach).serve()
    }

    private func serve() -> Never {
        let socket = CInt(HZ_WORKER_SOCKET)
        let size = MemoryLayout<HZWorkerRequest>.size
        while true {
            var request = HZWorkerRequest()
            let received = unsafe recv(socket, &request, size, 0)
            if received < 0 && errno == EINTR { continue }
            guard received == size else { _exit(received == 0 ? 0 : 2) }
            var reply = HZWorkerReply()
            reply.serial = request.serial
            if request.probe != 0 {
                WorkerProbe.run(request, &reply)
            } else {
                convert(&request, &reply)
            }
            guard unsafe send(socket, &reply, MemoryLayout<HZWorkerReply>.size, 0) > 0 else { _exit(2) }
        }
    }

    private func convert(_ request: inout HZWorkerRequest, _ reply: inout HZWorkerReply) {
        let input = Int(request.inputByteCount)
        let offset = Int(request.outputOffset)
        let output = Int(request.outputByteCount)
        let tables = Int(request.tableByteCount)
        guard input <= offset, tables <= input, offset <= reach, output <= reach - offset else {
            reply.status = HZCodecStatus.misuse.rawValue
            return
        }
        var written = 0
        let bytes = unsafe start.assumingMemoryBound(to: UInt8.self)
        let room = unsafe (start + offset).assumingMemoryBound(to: UInt8.self)
        let status =
            if request.findsText {
                unsafe hz_text_find(&request.text, bytes, input, room, output, &written)
            } else if request.makesVideo {
                unsafe hz_video_encode(&request.video, bytes, input, room, output, &written)
            } else if request.rendersPicture {
                unsafe hz_frame_render(
                    &request.rendering, bytes, tables, bytes + tables, input - tables, room, output, &written)
            } else {
                unsafe hz_frame_convert(&request.conversion, bytes, input, room, output, &written)
            }
        reply.status = status.rawValue
        reply.byteCount = UInt64(written)
    }
}
