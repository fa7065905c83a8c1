import Testing

@testable import Access

/// Who may open an association.
struct AdmissionTests {
    @Test func refusesAnotherCalledTitleEvenFromAKnownPeer() throws {
        let fixture = try AccessFixture(isOpen: true)
        try fixture.access.add(peer("CT1", ["127.0.0.1"]))
        for called in ["huizhen", "HUIZHEN2", "ANY-SCP", ""] {
            #expect(throws: Refusal.calledAETitleNotRecognized) {
                try fixture.access.admit(calling: "CT1", called: called, address: "127.0.0.1")
            }
        }
    }

    @Test func admitsAKnownPeerWithWhatItMayDo() throws {
        let fixture = try AccessFixture()
        try fixture.access.add(peer("CT1", ["127.0.0.1"]))
        let permit = try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1")
        #expect(
            permit
                == Permit(
                    kind: .peer, aeTitle: "CT1", services: [.echo, .store], roles: [.system], institution: "North",
                    issuer: "NORTH", address: "127.0.0.1"))
    }

    @Test func refusesAKnownPeerFromElsewhereAndAnUnknownOneInTheSameWords() throws {
        let fixture = try AccessFixture()
        try fixture.access.add(peer("CT1", ["10.0.0.1"], plain: true))
        for (calling, address) in [
            ("CT1", "10.0.0.2"), ("CT1", "127.0.0.1"), ("CT2", "10.0.0.1"), ("ct1", "10.0.0.1"), ("", "10.0.0.1"),
            ("CT1", ""), ("CT1", "unknown"),
        ] {
            #expect(throws: Refusal.callingAETitleNotRecognized) {
                try fixture.access.admit(calling: calling, called: "HUIZHEN", address: address)
            }
        }
    }

    @Test func asksForALeaveOfItsOwnBeforePlainDICOMComesOverANetwork() throws {
        let fixture = try AccessFixture()
        try fixture.access.add(peer("CT1", ["10.0.0.0/8", "127.0.0.1"]))
        #expect(throws: Refusal.plainNotAllowed) {
            try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "10.1.2.3")
        }
        let local = try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1")
        #expect(!local.isPlainOverNetwork)
        try fixture.access.add(peer("CT1", ["10.0.0.0/8"], plain: true))
        let permit = try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "::ffff:10.1.2.3")
        #expect(permit.isPlainOverNetwork && permit.isKnown)
    }

    @Test func admitsAGuestOfAnOpenServerFromThisMachineOnly() throws {
        let fixture = try AccessFixture(isOpen: true)
        for address in ["127.0.0.1", "::1"] {
            let permit = try fixture.access.admit(calling: "ANYBODY", called: "HUIZHEN", address: address)
            #expect(permit.services == Set(Peer.Service.allCases))
            #expect(permit.institution == "Home" && permit.issuer == "HOME")
            #expect(!permit.isKnown && !permit.isPlainOverNetwork)
        }
        #expect(throws: Refusal.callingAETitleNotRecognized) {
            try fixture.access.admit(calling: "ANYBODY", called: "HUIZHEN", address: "10.0.0.1")
        }
    }

    @Test func holdsAKnownPeerToItsAddressesOnAnOpenServerToo() throws {
        let fixture = try AccessFixture(isOpen: true)
        try fixture.access.add(peer("CT1", ["10.0.0.1"], plain: true))
        #expect(throws: Refusal.callingAETitleNotRecognized) {
            try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1")
        }
    }

    @Test func admitsAPeerByItsHostName() throws {
        let fixture = try AccessFixture()
        try fixture.access.add(peer("CT1", ["localhost"]))
        #expect(try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1").isKnown)
        #expect(throws: Refusal.callingAETitleNotRecognized) {
            try fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.2")
        }
    }

    @Test func changesTheAnswerWithTheNextAssociation() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        try access.add(peer("CT1", ["127.0.0.1"]))
        try access.add(peer("CT1", ["127.0.0.1"], services: [.find]))
        #expect(try access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1").services == [.find])
        try access.remove(aeTitle: "CT1")
        #expect(throws: Refusal.callingAETitleNotRecognized) {
            try access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1")
        }
    }
}
