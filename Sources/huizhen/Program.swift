import Dispatch
import Foundation

/// Where every process of this program begins.
@main
enum Program {
    static func main() {
        let arguments = CommandLine.arguments.dropFirst()
        // A codec worker has one thread, which locks itself in; the asynchronous commands bring several.
        if arguments.first == CodecWorkerCommand.configuration.commandName {
            CodecWorkerCommand.main(Array(arguments.dropFirst()))
        }
        // Started for every client of the file channel.
        if arguments.first == SFTPServerCommand.configuration.commandName {
            SFTPServerCommand.main(Array(arguments.dropFirst()))
            exit(0)
        }
        Task { @MainActor in
            await Huizhen.main()
            exit(0)
        }
        dispatchMain()
    }
}
