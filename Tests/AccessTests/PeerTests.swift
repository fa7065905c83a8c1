import Testing

@testable import Access

/// The list of peers and what may stand on it.
struct PeerTests {
    @Test func keepsPeersAcrossARestart() throws {
        let fixture = try AccessFixture()
        let north = peer("NORTH", ["10.0.0.0/8", "pacs.north.example"], port: nil, services: [.find], plain: true)
        let south = peer("SOUTH", ["::1"], associations: 16)
        for entry in [south, north] { try fixture.access.add(entry) }
        try fixture.access.add(peer("GONE", ["127.0.0.1"]))
        try fixture.access.remove(aeTitle: "GONE")
        try fixture.reopen()
        #expect(fixture.access.list() == [north, south])
        #expect(fixture.access.peer(aeTitle: "NORTH") == north)
        #expect(fixture.access.peer(aeTitle: "north") == nil)
    }

    @Test(arguments: [
        "", " ", "SEVENTEENLETTERS1", "A\\B", " CT1", "CT1 ", "CT\u{1}", "检查",
    ])
    func refusesWhatIsNoAETitle(_ title: String) throws {
        let fixture = try AccessFixture()
        expectInvalid { try fixture.access.add(peer(title, ["127.0.0.1"])) }
        #expect(fixture.access.list().isEmpty)
    }

    @Test func takesATitleOfSixteenCharactersWithASpaceInside() throws {
        let fixture = try AccessFixture()
        try fixture.access.add(peer("SIXTEEN LETTERS1", ["127.0.0.1"]))
        #expect(fixture.access.peer(aeTitle: "SIXTEEN LETTERS1") != nil)
    }

    @Test(arguments: [
        [], ["10.0.0.0/x"], ["host/8"], ["10.0.0.0/8/8"], ["/8"], ["10.0.0.0/"], ["127.0.0.1", "10.0/8"],
        ["10.0.0.0/33"], ["10.0.0.0/-1"], ["2001:db8::/129"], [""],
    ])
    func refusesAddressesThatCouldNeverMatch(_ addresses: [String]) throws {
        let fixture = try AccessFixture()
        expectInvalid { try fixture.access.add(peer("CT1", addresses)) }
    }

    @Test func keepsParallelAssociationsBetweenOneAndSixteen() throws {
        let fixture = try AccessFixture()
        for count in [1, 16] { try fixture.access.add(peer("CT1", ["127.0.0.1"], associations: count)) }
        for count in [0, 17, -1] {
            expectInvalid { try fixture.access.add(peer("CT1", ["127.0.0.1"], associations: count)) }
        }
    }

    @Test func saysWhenThereIsNoSuchPeerToRemove() throws {
        let fixture = try AccessFixture()
        #expect(throws: AccessError.unknownPeer("CT1")) { try fixture.access.remove(aeTitle: "CT1") }
    }

    @Test func callsTheFirstAddressThatIsNoNetwork() {
        #expect(peer("CT1", ["10.0.0.0/8", "10.0.0.5", "10.0.0.6"]).host == "10.0.0.5")
        #expect(peer("CT1", ["10.0.0.0/8"]).host == nil)
    }

    @Test func callsPlainOnlyToThisMachineOrWithLeave() throws {
        let access = try AccessFixture().access
        #expect(access.mayCallPlain(peer("A", ["127.0.0.1", "::1", "localhost"])))
        #expect(!access.mayCallPlain(peer("A", ["10.0.0.1"])))
        #expect(!access.mayCallPlain(peer("A", ["127.0.0.1", "10.0.0.1"])))
        #expect(!access.mayCallPlain(peer("A", ["no.such.name.invalid"])))
        #expect(access.mayCallPlain(peer("A", ["10.0.0.1"], plain: true)))
        #expect(access.isOverNetwork(peer("A", ["10.0.0.1"], plain: true)))
    }

    @Test func createsItsFileForTheOwnerOnly() throws {
        let fixture = try AccessFixture()
        #expect(try permissions(fixture.directory.path + "/access.sqlite") == 0o600)
    }

    private func expectInvalid(_ body: () throws -> Void) {
        do {
            try body()
            Issue.record("was taken")
        } catch AccessError.invalid {} catch { Issue.record("\(error)") }
    }
}
