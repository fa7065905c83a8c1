import Foundation
import Testing

@testable import Toolkit

extension AllTests {
    @Suite struct TLSFileTests {
        private func fault(_ files: TLSFiles) -> AssociationError? {
            do throws(AssociationError) { _ = try TLSContext(files) } catch { return error }
            return nil
        }

        private func bytes(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: URL(filePath: Certificates.path(name))))
        }

        @Test func readsWhatIsRight() {
            #expect(fault(Certificates.files("server", lists: "ca.crl")) == nil)
            #expect(fault(Certificates.files("deep")) == nil)
            #expect(fault(TLSFiles()) == nil)
        }

        @Test func refusesAKeyThatOthersMayRead() throws {
            var files = Certificates.files("server")
            for mode in [0o640, 0o604, 0o610, 0o644] {
                files.key = try Certificates.write(bytes("server.key"), mode: mode)
                #expect(fault(files) == .tlsFile(.key, .exposed))
            }
            files.key = try Certificates.write(bytes("server.key"), mode: 0o400)
            #expect(fault(files) == nil)
        }

        @Test func refusesAKeyThatDoesNotFit() {
            var files = Certificates.files("server")
            files.key = Certificates.path("client.key")
            #expect(fault(files) == .tlsFile(.key, .mismatch))
            files.key = Certificates.path("locked.key")
            #expect(fault(files) == .tlsFile(.key, .malformed))
            #expect(fault(Certificates.files("weak")) == .tlsFile(.certificate, .weak))
        }

        @Test func refusesWhatIsNotThere() {
            #expect(
                fault(Certificates.files("server", authorities: "nothing"))
                    == .tlsFile(.authorities, .unreadable(errno: ENOENT)))
            #expect(
                fault(Certificates.files("server", lists: "nothing"))
                    == .tlsFile(.revocationLists, .unreadable(errno: ENOENT)))
            #expect(fault(Certificates.files("nothing")) == .tlsFile(.certificate, .unreadable(errno: ENOENT)))
            #expect(fault(Certificates.files("server", authorities: "issued")) == .tlsFile(.authorities, .malformed))
        }

        @Test func refusesWhatIsBroken() throws {
            let certificate = try bytes("ca.pem")
            var files = Certificates.files("server")
            let bad: [[UInt8]] = [
                [], Array("no PEM".utf8), Array(certificate.dropLast(40)), certificate + certificate.dropLast(40),
                try bytes("ca.crl"), [UInt8](repeating: 0xFF, count: 100),
            ]
            for content in bad {
                files.authorities = try Certificates.write(content)
                #expect(fault(files) == .tlsFile(.authorities, .malformed))
            }
            files.authorities = Certificates.path("ca.pem")
            files.revocationLists = try Certificates.write(certificate)
            #expect(fault(files) == .tlsFile(.revocationLists, .malformed))
        }

        @Test func keepsToItsBounds() throws {
            let certificate = try bytes("ca.pem")
            var files = Certificates.files("server")
            func authorities(_ count: Int, padding: Int = 0) throws -> AssociationError? {
                let many = [UInt8]((0..<count).map { _ in certificate }.joined())
                let blank = padding > 0 ? [UInt8](repeating: 0x0A, count: padding - many.count) : []
                files.authorities = try Certificates.write(blank + many)
                return fault(files)
            }
            #expect(try authorities(1024) == nil)
            #expect(try authorities(1025) == .tlsFile(.authorities, .tooLarge))
            #expect(try authorities(1, padding: 8 << 20) == nil)
            #expect(try authorities(1, padding: (8 << 20) + 1) == .tlsFile(.authorities, .tooLarge))
        }

        @Test func readsAndWritesFingerprints() throws {
            let fingerprint = try Fingerprint(certificateAt: Certificates.path("client.pem"))
            let text = "\(fingerprint)"
            #expect(text.count == 64)
            #expect(Fingerprint(text) == fingerprint)
            let colons = stride(from: 0, to: 64, by: 2).map { String(Array(text)[$0..<$0 + 2]).uppercased() }
            #expect(Fingerprint(colons.joined(separator: ":")) == fingerprint)
            #expect(Fingerprint(String(text.dropLast())) == nil)
            #expect(Fingerprint(text + "0") == nil)
            #expect(Fingerprint(String(text.dropLast()) + "g") == nil)
            #expect(throws: AssociationError.tlsFile(.certificate, .malformed)) {
                try Fingerprint(certificateAt: Certificates.path("client.key"))
            }
        }
    }
}
