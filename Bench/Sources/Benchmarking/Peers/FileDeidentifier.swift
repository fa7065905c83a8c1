import Foundation

/// A program that de-identifies a folder of files into another, in one way of using it.
struct FileDeidentifier: Sendable {
    /// Its command from a folder to another.
    typealias Run = @Sendable (_ input: String, _ output: String) throws(BenchError) -> Command

    let label: String
    /// Makes what the program needs in a folder.
    let prepare: @Sendable (_ folder: String) throws(BenchError) -> Run

    private static let installBound: Duration = .seconds(300)

    static func huizhen(_ tool: HuizhenTool, label: String, profile: String = HuizhenTool.profile) -> FileDeidentifier {
        FileDeidentifier(label: label) { (_) throws(BenchError) in
            { (input, output) in tool.deidentify([input], into: output, profile: profile) }
        }
    }

    /// Of PyPI; a figure is a whole run with Python's start in it. Throws `.failed`, `.timedOut` where it cannot be had.
    static let dicognito = FileDeidentifier(label: "dicognito") { (folder) throws(BenchError) in
        let environment = try install("dicognito", "0.19.0", in: folder)
        return { (input, output) in
            Command(
                name: "dicognito", executable: environment + "/bin/python",
                arguments: ["-m", "dicognito", "--quiet", "--output-directory", output, input],
                workingDirectory: folder, log: folder + "/dicognito.log")
        }
    }

    /// Kitware's, of PyPI. Throws as dicognito, its command `.system` where its folder cannot be made.
    static let anonymizer = FileDeidentifier(label: "dicom-anonymizer") { (folder) throws(BenchError) in
        let environment = try install("dicom-anonymizer", "1.0.13.post1", in: folder)
        return { (input, output) throws(BenchError) in
            try Files.makeFolder(output)
            return Command(
                name: "dicom-anonymizer", executable: environment + "/bin/dicom-anonymizer",
                arguments: [input, output], workingDirectory: folder, log: folder + "/anonymizer.log")
        }
    }

    /// Of Debian's libgdcm-tools, with a key holder's certificate, without which it does nothing. Throws `.missing`; `.failed`,
    /// `.timedOut` of openssl.
    static let gdcmanon = FileDeidentifier(label: "gdcmanon") { (folder) throws(BenchError) in
        guard let executable = Tools.find("gdcmanon") else {
            throw .missing(tools: ["gdcmanon"], packages: ["libgdcm-tools"])
        }
        try Files.makeFolder(folder)
        try Command(
            name: "openssl", executable: "/usr/bin/openssl",
            arguments: [
                "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "30", "-subj", "/CN=holder", "-keyout",
                folder + "/key.pem", "-out", folder + "/holder.pem",
            ],
            workingDirectory: folder, log: folder + "/openssl.log"
        ).run(atMost: .seconds(60))
        return { (input, output) in
            Command(
                name: "gdcmanon", executable: executable,
                arguments: ["-e", "-c", folder + "/holder.pem", "-r", "-i", input, "-o", output],
                workingDirectory: folder, log: folder + "/gdcmanon.log")
        }
    }

    /// - Returns: the folder of an environment of its own that has a package of PyPI.
    private static func install(
        _ package: String, _ version: String, in folder: String
    ) throws(BenchError) -> String {
        try Files.makeFolder(folder)
        let environment = folder + "/environment"
        for (executable, arguments) in [
            (Tools.find("python3") ?? "/usr/bin/python3", ["-m", "venv", environment]),
            (
                environment + "/bin/python",
                ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "\(package)==\(version)"]
            ),
        ] {
            try Command(
                name: "installing \(package)", executable: executable, arguments: arguments,
                workingDirectory: folder, log: folder + "/install.log"
            ).run(atMost: installBound)
        }
        return environment
    }
}
