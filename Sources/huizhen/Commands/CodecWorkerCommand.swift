import ArgumentParser
import Codecs

/// What `serve` starts to decode pixels apart from keys, files and network. Not for people.
struct CodecWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "codec-worker", abstract: "Convert frames for the service that started this.", shouldDisplay: false
    )

    @Argument(help: "Bytes of shared memory at most.") var reach: Int
    @Argument(help: "Bytes of other memory at most.") var workingByteCount: Int
    @Argument(help: "Seconds of processor time at most.") var processorSeconds: Int

    @Flag(help: "Look for text in pictures too.") var text = false

    func run() {
        CodecWorker.run(
            reach: reach, workingByteCount: workingByteCount, processorSeconds: processorSeconds, readsText: text)
    }
}
