import Catalog
import Foundation
import Keys
import Testing

@testable import Archive

/// What is left on paper of what was destroyed.
struct CertificateTests {
    /// Not a word of hexadecimal digits, which a key or a signature may hold by chance.
    private static let patient = "ZH-1001"

    private func filled(_ settings: Archive.Settings = ArchiveFixture.settings) throws -> ArchiveFixture {
        var settings = settings
        settings.institution = "North"
        let fixture = try ArchiveFixture(settings)
        for number in 1...3 { try fixture.store(image(number, patient: Self.patient)) }
        try fixture.store(image(4, study: "1.2.2", patient: Self.patient))
        return fixture
    }

    private func only(_ fixture: ArchiveFixture) throws -> DestructionCertificate {
        let folder = fixture.archive.certificates
        #expect(folder.certificates().count == 1 && folder.orders().isEmpty)
        let signed = try folder.certificate(try #require(folder.certificates().first))
        #expect(signed.isSigned(by: try #require(folder.publicKey)))
        return try #require(signed.certificate)
    }

    @Test func certifiesWhatIsDestroyedAtOnce() throws {
        let fixture = try filled()
        let holdings = try (1...3).map { try fixture.holding("1.2.9.\($0)") }
        let removal = try fixture.archive.remove(
            studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"], by: "dr.li", reason: "patient's wish\n2")
        let certificate = try only(fixture)
        #expect(certificate.id == removal.certificate)
        #expect(certificate.objectCount == 3 && certificate.restoredCount == 0)
        #expect(certificate.orderedBy == "dr.li" && certificate.reason == "patient's wish 2")
        #expect(certificate.institution == "North" && certificate.studyInstanceUID == "1.2.1")
        #expect(Set(certificate.objects.map(\.digest)) == Set(holdings.map { $0.digest.hexadecimal }))
        #expect(Set(certificate.objects.map(\.sopInstanceUID)) == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
        #expect(certificate.destroyedStudyKeys == [holdings[0].studyKey.hexadecimal])
        // The list of the key store says the same.
        var destroyed: Set<String> = []
        try fixture.archive.keys.objects.eachDestroyed { destroyed.insert($0.hexadecimal) }
        #expect(destroyed == Set(certificate.objects.map(\.objectKey)))
    }

    @Test func certifiesAfterTheGracePeriodAndNotBefore() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .seconds(1)
        let fixture = try filled(settings)
        let removal = try fixture.archive.remove(studyInstanceUID: "1.2.1", by: "op", reason: "r")
        _ = try fixture.archive.destroyDue()
        #expect(fixture.archive.certificates.certificates().isEmpty || fixture.archive.certificates.orders().isEmpty)
        try fixture.reopen(settings)
        while try fixture.archive.certify() == 0, fixture.archive.certificates.certificates().isEmpty {
            _ = try fixture.archive.destroyDue()
        }
        let certificate = try only(fixture)
        #expect(certificate.id == removal.certificate && certificate.orderedBy == "op" && certificate.objectCount == 3)
    }

    @Test func leavesOutWhatWasBroughtBack() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try filled(settings)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        _ = try fixture.archive.restore(studyInstanceUID: "1.2.1")
        #expect(try fixture.archive.destroyDue() == 0)
        // Nothing was destroyed, so there is nothing to certify.
        #expect(fixture.archive.certificates.certificates().isEmpty && fixture.archive.certificates.orders().isEmpty)
    }

    @Test func waitsWhileAHoldKeepsTheObjects() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try filled(settings)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", sopInstanceUID: "1.2.9.1")
        try fixture.archive.hold(studyInstanceUID: "1.2.1", true)
        #expect(try fixture.archive.destroyDue() == 0)
        #expect(fixture.archive.certificates.orders().count == 1)
        try fixture.archive.hold(studyInstanceUID: "1.2.1", false)
        #expect(try fixture.archive.destroyDue() == 1)
        #expect(try only(fixture).objectCount == 1)
    }

    @Test func writesTheCertificateOfADestructionThatWasCutOff() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try filled(settings)
        let holdings = try (1...3).map { try fixture.holding("1.2.9.\($0)") }
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", by: "op")
        // Everything but the certificate was done.
        try fixture.archive.destroy(holdings)
        try fixture.reopen(settings, withoutCatalogue: true)
        _ = try fixture.archive.destroyDue()
        #expect(try only(fixture).objectCount == 3)
    }

    @Test func noticesWhatWasAlteredInACertificate() throws {
        let fixture = try filled()
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"], by: "op")
        let folder = fixture.archive.certificates
        let key = try #require(folder.publicKey)
        var signed = try folder.certificate(folder.certificates()[0])
        let original = signed.statement
        signed.statement = original.replacingOccurrences(of: "\"op\"", with: "\"po\"")
        #expect(signed.statement != original && !signed.isSigned(by: key))
        signed.statement = original
        #expect(signed.isSigned(by: key))
        #expect(!signed.isSigned(by: String(repeating: "0", count: 64)) && !signed.isSigned(by: "x"))
        signed.signature = String(signed.signature.reversed())
        #expect(!signed.isSigned(by: key))
    }

    @Test func keepsItsKeyThroughARotation() throws {
        let fixture = try filled()
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        let key = try #require(fixture.archive.certificates.publicKey)
        _ = try fixture.archive.rotateMasterKey()
        try fixture.reopen()
        #expect(fixture.archive.certificates.publicKey == key)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2", now: true, accessionNumbers: ["A7"])
        for name in fixture.archive.certificates.certificates() {
            #expect(try fixture.archive.certificates.certificate(name).isSigned(by: key))
        }
    }

    @Test func keepsNamesAndModesToItself() throws {
        let fixture = try filled()
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2", now: true, accessionNumbers: ["A7"])
        let path = fixture.archive.certificates.path
        func mode(_ path: String) throws -> Int? {
            try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        }
        #expect(try mode(path) == 0o700)
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.count == 3)
        for name in names {
            #expect(try mode(path + "/" + name) == 0o600, "\(name)")
            #expect(!name.contains("1.2."))
            let text = String(
                decoding: FileManager.default.contents(atPath: path + "/" + name) ?? Data(), as: UTF8.self)
            #expect(!text.contains("Wang") && !text.contains(Self.patient), "no patient value")
        }
        for name in ["../keys/master", "x", "0123456789abcde/"] {
            expectError("notFound") { _ = try fixture.archive.certificates.certificate(name) }
        }
    }

    @Test func boundsWhoAndWhy() throws {
        let fixture = try filled()
        let limit = Archive.orderTextByteCountLimit
        _ = try fixture.archive.remove(
            studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"],
            by: String(repeating: "a", count: limit), reason: String(repeating: "b", count: limit + 1))
        let certificate = try only(fixture)
        #expect(certificate.orderedBy.utf8.count == limit && certificate.reason.utf8.count == limit)
    }
}
