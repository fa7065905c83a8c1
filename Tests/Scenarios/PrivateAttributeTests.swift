import Foundation
import Testing

private struct Report: Decodable {
    var problems: [String]
}

/// Private attributes that the operator has the catalogue keep, asked for by clients of others at both doors.
@Suite(.scenario, .timeLimit(.minutes(30))) struct PrivateAttributeTests {
    private static let key = "catalogue.private-attributes"
    private static let variable = "HUIZHEN_CATALOGUE_PRIVATE_ATTRIBUTES"
    private static let entries = [
        "study 0009xx01 LO ACME 1.1", "series 0019xx0C IS ACME 1.1", "series 0019xx0C LO OTHER, Inc.",
    ]

    private func ask(
        _ huizhen: HuizhenProcess, _ peer: String, _ arguments: [String], token: String
    ) throws -> [String] {
        try Python.ask(
            peer, ["\(huizhen.webPort)"] + arguments, environment: ["HUIZHEN_WEB_TOKEN": token], as: Report.self
        ).problems
    }

    private func store(_ huizhen: HuizhenProcess) throws {
        #expect(try ask(huizhen, "privates.py", ["store", "\(huizhen.port)"], token: "") == [])
    }

    private func search(_ huizhen: HuizhenProcess, isKept: Bool) throws -> [String] {
        try ask(
            huizhen, "privates.py", ["search", "\(huizhen.port)", isKept ? "kept" : "ignored"],
            token: huizhen.webToken())
    }

    @Test func findsByPrivateAttributesAtBothDoorsOnceTheyAreNamed() throws {
        let directory = TemporaryFolder.make()
        let config = TemporaryFolder.make() + "/config.json"
        try JSONSerialization.data(withJSONObject: ["catalogue": ["private-attributes": Self.entries]])
            .write(to: URL(fileURLWithPath: config))
        do {
            let without = try HuizhenProcess(directory: directory)
            try store(without)
            #expect(try search(without, isKept: false) == [])
        }
        // Of what came before, the objects tell.
        let with = try HuizhenProcess(
            directory: directory, arguments: ["--open-to-unknown-peers", "--config", config])
        _ = try with.tool(["reindex"]).checked()
        #expect(try search(with, isKept: true) == [])
        let log = with.logText()
        #expect(["ACME", "OTHER, Inc", "alpha", "SECRET"].allSatisfy { !log.contains($0) })
        // What a setting that is gone had kept is not answered, whatever is in the tables.
        with.kill()
        let after = try HuizhenProcess(directory: directory)
        #expect(try search(after, isKept: false) == [])
    }

    @Test func findsThemAsTheyCome() throws {
        let huizhen = try HuizhenProcess(environment: [Self.variable: Self.entries.joined(separator: "\\")])
        try store(huizhen)
        #expect(try search(huizhen, isKept: true) == [])
        // The tail that the catalogue had not written is read from the packs.
        huizhen.kill()
        try huizhen.start()
        #expect(try search(huizhen, isKept: true) == [])
    }

    @Test func showsWhoSeesMaskedOnlyWhatStaysDeIdentified() throws {
        let huizhen = try HuizhenProcess(
            arguments: [
                "--set", "access.masked-project=heart", "--set",
                Self.key + "=study 0009xx01 LO ACME 1.1\\study 0009xx04 LO ACME 1.1",
            ])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        for name in ["NORTH", "SOUTH"] { try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"]) }
        try store(huizhen)
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--all", "--masking", "de-identified",
            "--because", "research",
        ]).checked()
        let token = try huizhen.clientToken(of: "SOUTH")
        func masked(_ isShown: Bool) throws -> [String] {
            try ask(
                huizhen, "privatemasked.py", ["\(huizhen.port)", isShown ? "shown" : "hidden"], token: token)
        }
        #expect(try masked(false) == [])
        let rules = TemporaryFolder.make() + "/rules.json"
        try """
        {"private": [{"creator": "ACME 1.1", "group": "0009", "element": "01", "vr": "LO", "loosens": true,
        "reason": "words of the test"}]}
        """.write(toFile: rules, atomically: true, encoding: .utf8)
        _ = try huizhen.tool(["project", "set", "heart", "--site-rules", rules]).checked()
        #expect(try masked(true) == [])
    }

    @Test func refusesAListThatCannotBeMeant() throws {
        for (value, why) in [
            ("study 0009xx01 LO", "LEVEL GGGGxxEE VR CREATOR"), ("study 0008xx01 LO ACME", "private group"),
            ("image 0009xx01 LO ACME", "level"), ("study 0009xx01 SQ ACME", "VR"),
            ("study 0009xx01 LO ACME\\series 0009xx01 SH ACME", "another entry"),
            ((0..<33).map { "study 0009xx\($0 + 10) LO ACME" }.joined(separator: "\\"), "more than 32"),
        ] {
            for (arguments, environment) in [
                (["--set", "\(Self.key)=\(value)"], [:]), ([], [Self.variable: value]),
            ] as [([String], [String: String])] {
                let refused = try Tool.run(
                    HuizhenProcess.binary, ["settings"] + arguments, environment: environment)
                #expect(refused.code == 1, "\(value)")
                #expect(refused.error.contains(Self.key) && refused.error.contains(why), "\(refused.error)")
            }
        }
    }
}
