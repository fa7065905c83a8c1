import Audit
import DICOM
import Foundation
import Testing

/// `huizhen reidentify`, and projects' keys that go from site to site.
@Suite(.scenario, .timeLimit(.minutes(30))) struct EscrowCommandTests {
    /// A private key and its certificate, made by openssl.
    private func certificate(_ name: String, in folder: String) throws -> (key: String, certificate: String) {
        let (key, certificate) = ("\(folder)/\(name).key", "\(folder)/\(name).pem")
        _ = try Tool.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                "-subj",
                "/CN=\(name)",
            ]
        ).checked()
        return (key, certificate)
    }

    private static func image() -> DICOM.Dataset {
        var image = DICOM.Dataset()
        image.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.2")
        image.set(.sopInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.7.1")
        image.set(.studyInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.7.2")
        image.set(.seriesInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.7.3")
        image.set(.modality, .CS, string: "CT")
        image.set(.patientName, .PN, string: "Zhang^Wei=张^伟")
        image.set(.patientID, .LO, string: "PID-0815")
        image.set(.studyDate, .DA, string: "20261121")
        for (tag, number) in [
            (Tag.samplesPerPixel, 1), (.rows, 2), (.columns, 2), (.bitsAllocated, 16), (.bitsStored, 16),
            (.highBit, 15),
            (.pixelRepresentation, 0),
        ] { image.set(tag, .US, ints: [number]) }
        image.set(.photometricInterpretation, .CS, string: "MONOCHROME2")
        image.set(.pixelData, .OW, bytes: [1, 0, 2, 0, 3, 0, 4, 0])
        return image
    }

    private func write(_ dataset: DICOM.Dataset, to path: String) throws {
        let head = Part10.header(
            sopClassUID: dataset.string(.sopClassUID) ?? "", sopInstanceUID: dataset.string(.sopInstanceUID) ?? "",
            transferSyntax: .explicitVRLittleEndian)
        try Data(head + dataset.encoded(transferSyntax: .explicitVRLittleEndian)).write(to: URL(fileURLWithPath: path))
    }

    /// The path of the only file below a folder.
    private func file(below folder: String) throws -> String {
        let names = try #require(FileManager.default.enumerator(atPath: folder)).compactMap { $0 as? String }
        return folder + "/" + (try #require(names.first { $0.hasSuffix(".dcm") }))
    }

    private func read(below folder: String) throws -> DICOM.Dataset { try read(try file(below: folder)) }

    private func read(_ path: String) throws -> DICOM.Dataset {
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let meta = try #require(try Part10.parseMeta(bytes))
        return try DICOM.Dataset.parse(Array(bytes[meta.datasetOffset...]), transferSyntax: meta.transferSyntax)
    }

    @Test func theKeyHolderBringsTheIdentityBackAndTheRecordSaysSo() throws {
        let huizhen = try HuizhenProcess()
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let holder = try certificate("holder", in: folder)
        let other = try certificate("other", in: folder)
        try write(Self.image(), to: folder + "/original.dcm")
        _ = try huizhen.tool(["project", "create", "lung"]).checked()
        _ = try huizhen.tool([
            "deidentify", folder + "/original.dcm", "--output", folder + "/new", "--profile", "basic", "--project",
            "lung", "--escrow",
            holder.certificate,
        ]).checked()
        let result = try read(below: folder + "/new")
        #expect(result.string(.patientID)?.hasPrefix("HZ-") == true)

        // GDCM opens it too.
        _ = try Tool.run(
            "/usr/bin/gdcmanon",
            [
                "-d", "-i", try file(below: folder + "/new"), "-o", folder + "/gdcm.dcm", "-k", holder.key, "-c",
                holder.certificate,
            ]
        ).checked()
        let opened = try read(folder + "/gdcm.dcm")
        #expect(opened.string(.patientID) == "PID-0815")
        #expect(opened.string(.sopInstanceUID) == "1.2.826.0.1.3680043.9.7.1")

        let refused = try huizhen.tool([
            "reidentify", folder + "/new", "--key", other.key, "--certificate", other.certificate, "--output",
            folder + "/none",
        ])
        #expect(refused.code == 3)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/none").isEmpty)

        _ = try huizhen.tool([
            "reidentify", folder + "/new", "--key", holder.key, "--certificate", holder.certificate, "--output",
            folder + "/back",
        ]).checked()
        var back = try read(below: folder + "/back")
        #expect(back.string(.specificCharacterSet) == "ISO_IR 192")
        var expected = Self.image()
        for tag in [Tag.specificCharacterSet, .pixelData] {
            back.remove(tag)
            expected.remove(tag)
        }
        #expect(
            back.encoded(transferSyntax: .implicitVRLittleEndian)
                == expected.encoded(transferSyntax: .implicitVRLittleEndian))
        let file = try Data(contentsOf: URL(fileURLWithPath: folder + "/back/000001.dcm"))
        #expect(file.suffix(8) == Data([1, 0, 2, 0, 3, 0, 4, 0]))
        let acts = try huizhen.tool(["audit", "search", "--event", "exported", "--json"]).checked()
            .split(separator: "\n").map { try JSONDecoder().decode(AuditRecord.self, from: Data($0.utf8)) }
        #expect(acts.map(\.entry.reason) == ["re-identification", "re-identification"])
        // Of whom: the studies by their pseudonyms, and whose certificate.
        let study = try #require(result.string(.studyInstanceUID))
        for act in acts { #expect(act.entry.objects.contains { $0.kind == .study && $0.name == study }) }
        let fingerprint = try Tool.run(
            "/usr/bin/openssl", ["x509", "-in", holder.certificate, "-noout", "-fingerprint", "-sha256"]
        ).checked().split(separator: "=")[1].filter(\.isHexDigit).lowercased()
        #expect(
            acts.contains {
                $0.entry.objects.contains { $0.name == "escrow of the certificate \(fingerprint), 1 studies" }
            })
    }

    @Test func isRecordedUnlessThatIsSaid() throws {
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let holder = try certificate("holder", in: folder)
        try write(Self.image(), to: folder + "/original.dcm")
        // The data directory that is meant where none is named.
        let home = ["HOME": folder + "/home"]
        func run(_ arguments: [String]) throws -> Tool.Result {
            try Tool.run(HuizhenProcess.binary, arguments, environment: home)
        }
        func reidentify(_ output: String, _ more: [String] = []) throws -> Int32 {
            try run(
                [
                    "reidentify", folder + "/new", "--key", holder.key, "--certificate", holder.certificate, "--output",
                    folder + "/" + output,
                ] + more
            ).code
        }
        let data = ["--data", folder + "/data"]
        _ = try run(["project", "create", "lung"] + data).checked()
        _ = try run(
            [
                "deidentify", folder + "/original.dcm", "--output", folder + "/new", "--profile", "basic", "--project",
                "lung", "--escrow", holder.certificate,
            ] + data
        ).checked()
        // Nowhere to record it: nothing is opened.
        #expect(try reidentify("one") == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder + "/one").isEmpty)
        #expect(try reidentify("two", ["--unrecorded"]) == 0)
        _ = try run(["project", "create", "lung"]).checked()
        #expect(try reidentify("three") == 0)
        let acts = try run(["audit", "search", "--event", "exported", "--json"]).checked()
        #expect(acts.split(separator: "\n").count == 1 && acts.contains("re-identification"))
    }

    @Test func aProjectsKeyMakesTheSamePseudonymsAtAnotherSite() throws {
        let folder = TemporaryFolder.make()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let site = try certificate("site", in: folder)
        try write(Self.image(), to: folder + "/original.dcm")
        // No service runs on these.
        func tool(_ directory: String, _ arguments: [String]) throws -> Tool.Result {
            try Tool.run(HuizhenProcess.binary, arguments + ["--data", folder + "/" + directory])
        }
        func deidentify(_ directory: String) throws -> DICOM.Dataset {
            let output = folder + "/" + directory + ".new"
            _ = try tool(
                directory,
                [
                    "deidentify", folder + "/original.dcm", "--output", output, "--profile", "research", "--project",
                    "lung",
                ]
            ).checked()
            return try read(below: output)
        }
        _ = try tool("one", ["project", "create", "lung"]).checked()
        let exported = try tool(
            "one", ["project", "export", "lung", "--to", site.certificate, "--file", folder + "/lung.cms"]
        ).checked()
        #expect(
            try tool("one", ["project", "export", "lung", "--to", site.certificate, "--file", folder + "/lung.cms"])
                .code == 1)
        let imported = try tool(
            "two", ["project", "import", folder + "/lung.cms", "--key", site.key, "--certificate", site.certificate]
        ).checked()
        let digits = try #require(exported.split(separator: "\n").last)
        #expect(digits.hasPrefix("check digits "))
        #expect(imported.contains(digits))
        let (one, two) = (try deidentify("one"), try deidentify("two"))
        #expect(one.string(.patientID) == two.string(.patientID))
        #expect(one.string(.sopInstanceUID) == two.string(.sopInstanceUID))
        #expect(one.string(.studyDate) == two.string(.studyDate))
        _ = try tool("three", ["project", "create", "lung"]).checked()
        #expect(try deidentify("three").string(.patientID) != one.string(.patientID))
        let acts = try tool("one", ["audit", "search", "--event", "configurationChanged"]).checked()
        #expect(acts.contains("wrapped for the certificate"))
    }
}
