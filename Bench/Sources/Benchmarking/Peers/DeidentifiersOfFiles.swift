import Foundation

/// Programs that de-identify a folder of files into another, in rows of their own.
enum DeidentifiersOfFiles {
    /// Of PyPI; a figure is a whole run with Python's start in it.
    static let dicognito = "dicognito"
    private static let dicognitoVersion = "0.19.0"
    /// Kitware's, of PyPI.
    static let anonymizer = "dicom-anonymizer"
    private static let anonymizerVersion = "1.0.13.post1"
    private static let installBound: Duration = .seconds(300)
    /// Of Debian's libgdcm-tools.
    static let gdcmanon = "gdcmanon"

    /// dicognito in a Python environment of its own.
    ///
    /// - Throws: `.failed`, `.timedOut` where it cannot be had.
    static func installDicognito(in folder: String) throws(BenchError) -> (String, String) throws(BenchError) -> Command
    {
        let environment = try install(dicognito, dicognitoVersion, in: folder)
        return { (input, output) in
            Command(
                name: dicognito, executable: environment + "/bin/python",
                arguments: ["-m", "dicognito", "--quiet", "--output-directory", output, input],
                workingDirectory: folder, log: folder + "/dicognito.log")
        }
    }

    /// Kitware's dicom-anonymizer in a Python environment of its own.
    ///
    /// - Throws: `.failed`, `.timedOut` where it cannot be had; the command `.system` where its folder cannot be made.
    static func installAnonymizer(
        in folder: String
    ) throws(BenchError) -> (String, String) throws(BenchError) -> Command {
        let environment = try install(anonymizer, anonymizerVersion, in: folder)
        return { (input, output) throws(BenchError) in
            try Files.makeFolder(output)
            return Command(
                name: anonymizer, executable: environment + "/bin/dicom-anonymizer", arguments: [input, output],
                workingDirectory: folder, log: folder + "/anonymizer.log")
        }
    }

    /// - Returns: the folder of an environment that has a package of PyPI.
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

    /// gdcmanon with a key holder's certificate, without which it does nothing.
    ///
    /// - Throws: `.missing`; `.failed`, `.timedOut` of openssl.
    static func prepareGDCM(in folder: String) throws(BenchError) -> (String, String) throws(BenchError) -> Command {
        guard let executable = Tools.find(gdcmanon) else {
            throw .missing(tools: [gdcmanon], packages: ["libgdcm-tools"])
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
                name: gdcmanon, executable: executable,
                arguments: ["-e", "-c", folder + "/holder.pem", "-r", "-i", input, "-o", output],
                workingDirectory: folder, log: folder + "/gdcmanon.log")
        }
    }
}
