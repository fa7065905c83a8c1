import Foundation
import Testing

/// Orthanc from Debian as a peer in both directions.
@Suite(.scenario, .timeLimit(.minutes(30))) struct OrthancTests {
    private static let program = "/usr/sbin/Orthanc"

    private struct Nothing: Decodable {}

    private func rest(_ port: Int, _ path: String, post: String? = nil) throws -> Any {
        var arguments = ["-s", "-f", "http://127.0.0.1:\(port)/\(path)"]
        if let post { arguments += ["-d", post] }
        let text = try Tool.run("/usr/bin/curl", arguments).checked()
        return try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: program), "needs Debian's package orthanc"),
        arguments: [false, true])
    func exchangesObjectsWithOrthancInBothDirections(overTLS isSecure: Bool) throws {
        let huizhen = try HuizhenProcess(arguments: isSecure ? Certificates.settings() : [])
        // Orthanc shows one certificate, whether it calls or is called.
        let mine = isSecure ? Certificates.settings() : []
        let (http, dicom) = (freePort(), freePort())
        let folder = TemporaryFolder.make()
        _ = try Python.ask(
            "orthanc.py",
            [
                "--folder", folder, "--http", "\(http)", "--dicom", "\(dicom)", "--huizhen",
                "\(isSecure ? huizhen.tlsPort : huizhen.port)",
            ] + (isSecure ? ["--certificates", Certificates.folder, "--name", "elsewhere"] : []),
            as: Nothing.self)
        let orthanc = try RunningPeer(Self.program, [folder + "/orthanc.json"])
        defer { orthanc.end() }
        try huizhen.addPeer(
            "ORTHANC",
            ["--port", "\(dicom)", "--institution", "Other Hospital", "--issuer", "OTHER"]
                + (isSecure ? ["--certificate", Certificates.path("elsewhere.pem")] : []))
        try waitForEcho(huizhen, "ORTHANC")
        _ = try rest(http, "modalities/huizhen/echo", post: "{}")

        // Ours to Orthanc, Orthanc's to us.
        let sent = try Tool.run(
            HuizhenProcess.binary, ["send", "ORTHANC", try Images.smallCT(), "--data", huizhen.directory] + mine)
        #expect(sent.code == 0, "\(sent.error)")
        let instances = try rest(http, "instances") as? [String] ?? []
        #expect(instances.count == 1)
        _ = try rest(http, "modalities/huizhen/store", post: instances.first ?? "")
        #expect(try huizhen.status()["instances"] as? Int == 1)
        #expect(try huizhen.tool(["import", Images.smallMR(), "--as", "ORTHANC"]).code == 0)

        // C-FIND by Orthanc's REST.
        let query = try rest(
            http, "modalities/huizhen/query",
            post: #"{"Level": "Study", "Query": {"PatientName": "CompressedSamples*", "StudyInstanceUID": ""}}"#)
        let identifier = (query as? [String: Any])?["ID"] as? String ?? ""
        #expect((try rest(http, "queries/\(identifier)/answers") as? [String])?.count == 2)

        // C-MOVE by Orthanc, from us to Orthanc.
        _ = try rest(http, "queries/\(identifier)/retrieve", post: #"{"TargetAet": "ORTHANC", "Synchronous": true}"#)
        #expect((try rest(http, "instances") as? [String])?.count == 2)

        // C-FIND, C-MOVE and C-GET by us.
        let found = try huizhen.tool(
            ["find", "ORTHANC", "-k", "StudyInstanceUID", "-k", "PatientName", "--json"] + mine)
        #expect(found.code == 0, "\(found.error)")
        let matches = try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [[String: Any]] ?? []
        #expect(matches.count == 2)
        let study = ((matches.first?["0020000D"] as? [String: Any])?["Value"] as? [String])?.first ?? ""
        let into = TemporaryFolder.make() + "/got"
        let got = try huizhen.tool(["get", "ORTHANC", "--into", into, "-k", "StudyInstanceUID=" + study] + mine)
        #expect(got.code == 0, "\(got.output) \(got.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: into).count == 1)
        let moved = try huizhen.tool(["move", "ORTHANC", "--to", "huizhen", "-k", "StudyInstanceUID=" + study] + mine)
        let movedByTitle =
            moved.code == 0
            ? moved
            : try huizhen.tool(["move", "ORTHANC", "--to", "HUIZHEN", "-k", "StudyInstanceUID=" + study] + mine)
        #expect(movedByTitle.code == 0, "\(movedByTitle.output) \(movedByTitle.error)")
    }
}
