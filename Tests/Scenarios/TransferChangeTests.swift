import Foundation
import Testing

/// What an operator changes while a study is on its way.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TransferChangeTests {
    /// A push that is under way, slowly; half a megabyte a second of some twelve.
    private func underWay(_ seed: Int) throws -> (sites: TwoSites, id: String) {
        let sites = try TwoSites(settings: ["--set", "transfer.compress=false"], site: ["--rate", "500000"])
        try sites.store(seed: seed, count: 400)
        let id = try sites.a.begin("push", study: "2.25.\(seed).0", site: "B")
        try sites.a.wait("the transfer to begin") { (try sites.a.transfer(id).figures?.lineByteCount ?? 0) > 1 << 19 }
        return (sites, id)
    }

    /// After what was on its way, nothing more comes, and it is said why.
    private func ends(_ sites: TwoSites, _ id: String, because reason: String) throws {
        try sites.a.wait("the end and its reason") {
            let job = try sites.a.transfer(id).job
            return job?.state != "running" && job?.reason.contains(reason) == true
        }
        let came = try sites.b.metric("huizhen_transfer_bytes", "receiving")
        try sites.a.wait("another try") { (try sites.a.transfer(id).job?.attempts ?? 0) >= 3 }
        #expect(try sites.b.metric("huizhen_transfer_bytes", "receiving") == came)
        #expect(try sites.b.status()["instances"] as? Int == 0)
        #expect(try sites.a.transfer(id).record.state == "open")
    }

    @Test func sendsNothingMoreToASiteThatWasRemoved() throws {
        let (sites, id) = try underWay(31)
        try sites.a.tool(["site", "remove", "B"]).checked()
        try ends(sites, id, because: "there is no site B")
    }

    @Test func sendsNothingMoreOnceTheApprovalIsWithdrawn() throws {
        let (sites, id) = try underWay(32)
        try sites.a.tool(["destination", "revoke", "B", "--because", "a test"]).checked()
        try ends(sites, id, because: "approved destination")
        // Approved again, it goes on where it was.
        try sites.a.tool(["destination", "approve", "B", "--because", "a test"]).checked()
        try sites.a.tool(["transfer", "retry", id]).checked()
        try sites.a.wait("the transfer to go on") { try sites.a.transfer(id).job?.state == "running" }
    }

    @Test func sendsNothingMoreToACertificateThatIsNotTheSitesAnyMore() throws {
        let (sites, id) = try underWay(33)
        // The certificate of a third, which B cannot show.
        let other = try TwoSites.start("C", freePort())
        let file = sites.a.directory + ".other.pem"
        try other.tool(["site", "identity"]).checked().write(toFile: file, atomically: true, encoding: .utf8)
        try sites.a.tool([
            "site", "add", "B", "--at", "127.0.0.1:\(sites.ports.b)", "--certificate", file, "--institution", "B",
        ]).checked()
        try sites.a.tool(["destination", "approve", "B", "--because", "a test"]).checked()
        try ends(sites, id, because: "another certificate")
    }

    @Test func takesNothingMoreFromASiteThatWasRemovedThere() throws {
        let (sites, id) = try underWay(34)
        try sites.b.tool(["site", "remove", "A"]).checked()
        try sites.a.wait("the end and its reason") {
            let job = try sites.a.transfer(id).job
            return job?.state != "running" && job?.reason.contains("does not accept our certificate") == true
        }
        #expect(try sites.b.status()["instances"] as? Int == 0)
        // Its operator reads why nothing comes any more.
        #expect(try sites.b.transfer(id).record.note.contains("the site was removed here"))
        #expect(try sites.b.tool(["transfer", "status", id]).checked().contains("the site was removed here"))
        // Known again, it goes on by itself or when it is told to.
        try TwoSites.introduce(sites.a, as: "A", to: sites.b, port: sites.ports.a)
        try sites.a.tool(["transfer", "retry", id]).checked()
        try sites.a.wait("the transfer to go on") { try sites.a.transfer(id).job?.state == "running" }
        try sites.b.wait("the note to be gone") { try sites.b.transfer(id).record.note.isEmpty }
    }

    @Test(arguments: [("expired", "has ended"), ("early", "does not hold yet")])
    func saysOnBothSidesThatACertificateDoesNotHold(_ name: String, _ flaw: String) throws {
        // Under way while the certificate was another; then A comes with this one, which B was given.
        let (sites, id) = try underWay(36)
        sites.a.kill()
        let certificate = [
            "--set", "transfer.certificate=\(Certificates.path(name + ".pem"))",
            "--set", "transfer.key=\(Certificates.path(name + ".key"))",
        ]
        let a = try TwoSites.start("A", sites.ports.a, certificate, directory: sites.a.directory)
        #expect(a.logs("this site's certificate \(flaw)"))
        try TwoSites.introduce(a, as: "A", to: sites.b, port: sites.ports.a)
        try a.wait("the refusal at the sender") {
            try a.transfer(id).job?.reason.contains("does not accept our certificate, which \(flaw)") == true
        }
        try sites.b.wait("the refusal at the receiver") {
            try sites.b.transfer(id).record.note.contains("the site's certificate \(flaw) by the clock here")
        }
        #expect(sites.b.logs("a site is not let in: its certificate \(flaw)"))
        #expect(try sites.b.status()["instances"] as? Int == 0)
        // The other way round, whoever calls says it.
        let back = try sites.b.begin("pull", study: "2.25.36.1", site: "A")
        try sites.b.wait("the refusal of a call") {
            try sites.b.transfer(back).job?.reason.contains("the other side's certificate \(flaw)") == true
        }
    }

    @Test func goesOnAtAnotherRateWithoutBeginningAgain() throws {
        let (sites, id) = try underWay(35)
        try TwoSites.introduce(sites.b, as: "B", to: sites.a, port: sites.ports.b, ["--rate", "50000000"])
        try sites.a.waitUntilComplete(id)
        let transfer = try sites.a.transfer(id)
        #expect(transfer.job?.attempts == 0 && transfer.record.note.isEmpty)
        #expect(try sites.a.metric("huizhen_transfer_failures") == 0)
    }
}
