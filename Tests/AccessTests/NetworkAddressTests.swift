import Testing

@testable import Access

struct NetworkAddressTests {
    private func address(_ text: String) throws -> NetworkAddress { try #require(NetworkAddress(text)) }

    @Test(arguments: ["10.0.0.1", "0.0.0.0", "::1", "fe80::1", "2001:db8::10", "::ffff:10.0.0.1"])
    func readsAddresses(_ text: String) {
        #expect(NetworkAddress(text) != nil)
    }

    @Test(arguments: ["", "10.0.0", "10.0.0.256", "010.0.0.1x", "localhost", "10.0.0.1/8", "::g", "1:2:3:4:5:6:7"])
    func refusesWhatIsNoAddress(_ text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func takesAMappedAddressAndItsIPv4FormForOne() throws {
        #expect(try address("::ffff:10.0.0.1") == address("10.0.0.1"))
        #expect(try address("::ffff:10.0.0.1").isIPv4)
        #expect(try address("::10.0.0.1") != address("10.0.0.1"))
        #expect(try address("::ffff:10.0.0.7").isIn("10.0.0.0/24"))
        #expect(try address("10.0.0.7").isIn("::ffff:10.0.0.7"))
    }

    @Test func leavesTheZoneOfALinkLocalAddressOut() throws {
        #expect(try address("fe80::1%eth0") == address("fe80::1"))
    }

    @Test(arguments: ["127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1"])
    func knowsLoopback(_ text: String) throws {
        #expect(try address(text).isLoopback)
    }

    @Test(arguments: ["126.255.255.255", "128.0.0.0", "::", "::2", "1::1", "::ffff:10.0.0.1", "0.0.0.0"])
    func takesNoOtherAddressForLoopback(_ text: String) throws {
        #expect(try !address(text).isLoopback)
    }

    @Test(arguments: [
        ("10.1.0.0", "10.1.0.0/16", true), ("10.1.255.255", "10.1.0.0/16", true),
        ("10.0.255.255", "10.1.0.0/16", false), ("10.2.0.0", "10.1.0.0/16", false),
        ("192.168.1.128", "192.168.1.128/25", true), ("192.168.1.127", "192.168.1.128/25", false),
        ("10.1.2.3", "10.1.2.3/32", true), ("10.1.2.4", "10.1.2.3/32", false),
        ("203.0.113.9", "0.0.0.0/0", true), ("10.1.77.3", "10.1.2.3/16", true),
        ("10.1.2.3", "10.1.2.3/33", false), ("10.1.2.3", "10.1.2.3/-1", false),
        ("10.1.2.3", "10.1.2.3/x", false), ("10.1.2.3", "10.1.2.3/", false), ("10.1.2.3", "/8", false),
        ("2001:db8::1", "2001:db8::/32", true), ("2001:db9::1", "2001:db8::/32", false),
        ("2001:db8:8000::", "2001:db8::/33", false), ("2001:db8:7fff::", "2001:db8::/33", true),
        ("::1", "::1/128", true), ("::1", "::1/129", false), ("::2", "::1/128", false),
        ("10.0.0.1", "::/0", false), ("::1", "0.0.0.0/0", false),
    ])
    func matchesNetworksAtTheirEdges(_ text: String, _ network: String, _ isIn: Bool) throws {
        #expect(try address(text).isIn(network) == isIn)
    }

    @Test func resolvesLocalhostToLoopback() {
        let found = NetworkAddress.resolve("localhost")
        #expect(!found.isEmpty)
        #expect(found.allSatisfy { $0.isLoopback })
        #expect(NetworkAddress.resolve("no.such.name.invalid").isEmpty)
    }
}
