import ArgumentParser

/// The commands.
struct Huizhen: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "huizhen",
        abstract: "Huizhen (会诊) moves medical images between hospitals for remote consultation.",
        discussion: """
            `huizhen serve` runs the service. Every other command talks to it over a socket in its data directory, \
            or to another application entity over DICOM.
            """,
        version: version,
        subcommands: [
            Serve.self, StatusCommand.self, PeerCommand.self, UserCommand.self, TokenCommand.self, ShareCommand.self,
            CACommand.self,
            TLSCommand.self, EchoCommand.self,
            SendCommand.self,
            FindCommand.self, MoveCommand.self, GetCommand.self, ImportCommand.self, ExportCommand.self,
            VerifyCommand.self, RemoveCommand.self, ReindexCommand.self, ConflictsCommand.self, KeysCommand.self,
            AuditCommand.self, CertificateCommand.self, CorrectCommand.self, RouteCommand.self, GrantCommand.self,
            ConsentCommand.self, DestinationCommand.self, StatisticsCommand.self, AccessCommand.self, WebCommand.self,
            QueueCommand.self, SiteCommand.self, TransferCommand.self, ProjectCommand.self, DeidentifyCommand.self,
            ReleaseCommand.self, ReidentifyCommand.self,
            SFTPCommand.self, SFTPServerCommand.self, SettingsCommand.self, ConformanceCommand.self,
            CodecWorkerCommand.self,
        ])
}
