import DICOM
import Keys
import Testing

@testable import Deidentification

/// What is taken out can be brought back by those it was sealed for, and by nobody else.
struct EscrowTests {
    private static func source() -> Dataset {
        var source = Sample.image()
        source.set(.patientName, .PN, string: "Zhang^Wei=张^伟")
        // In GB18030 the second byte of this ideograph is a backslash.
        source.set(.patientComments, .LT, string: "乗客")
        var item = Dataset()
        item.set(.patientID, .LO, string: "伟")
        source.set(.otherPatientIDsSequence, items: [item])
        return source
    }

    private static func holder(_ keys: MadeKeys, _ certificate: String) throws -> KeyHolder {
        try KeyHolder(try keys.read(certificate))
    }

    @Test func eachOfTheHoldersBringsEveryAttributeBack() throws {
        let keys = try MadeKeys()
        let made = try MadeKeys.Kind.allCases.map { try keys.make($0, $0.rawValue) }
        let holders = try made.map { try Self.holder(keys, $0.certificate) }
        let deidentifier = Deidentifier(profile: .basic, key: Sample.key(), escrow: try Escrow(holders))
        let bytes = Self.source().encoded(
            transferSyntax: .explicitVRLittleEndian, characterSet: CharacterSet(["GB18030"]))
        let result = try deidentifier.run(bytes).dataset
        #expect(result.string(.patientName)?.hasPrefix("HZ-") == true)
        for (holder, files) in zip(holders, made) {
            let key = try HolderKey(pem: try keys.read(files.key), holder: holder)
            let found = try Reidentification(of: result, with: key)
            #expect(found.originals.string(.patientName) == "Zhang^Wei=张^伟")
            #expect(found.originals.string(.patientComments) == "乗客")
            #expect(found.originals.items(.otherPatientIDsSequence).first?.string(.patientID) == "伟")
            var whole = result
            whole.merge(found.originals)
            whole.removeAll { found.added.contains($0.tag) }
            let source = Self.source()
            for element in source.elements where element.tag < .pixelData && element.tag != .specificCharacterSet {
                #expect(whole.contains(element.tag), "\(element.tag)")
                if element.vr == .UI || element.vr == .DA {
                    #expect(whole.string(element.tag) == source.string(element.tag))
                }
            }
            #expect(Set(whole.elements.map(\.tag)) == Set(source.elements.map(\.tag) + [.specificCharacterSet]))
        }
    }

    @Test func othersBringNothingBack() throws {
        let keys = try MadeKeys()
        let one = try keys.make(.ec, "one")
        let other = try keys.make(.ec, "other")
        let element = try Escrow([try Self.holder(keys, one.certificate)]).element(
            source: Self.source(), result: Dataset())
        let otherKey = try HolderKey(pem: try keys.read(other.key), holder: try Self.holder(keys, other.certificate))
        #expect(throws: EscrowError.refused) { try Reidentification(of: Dataset([element]), with: otherKey) }
        #expect(throws: EscrowError.notSealed) { try Reidentification(of: Dataset(), with: otherKey) }
        #expect(throws: EscrowError.keyDiffers) {
            try HolderKey(pem: try keys.read(one.key), holder: try Self.holder(keys, other.certificate))
        }
    }

    @Test(arguments: MadeKeys.Kind.allCases)
    func openSSLOpensWhatWasSealed(kind: MadeKeys.Kind) throws {
        let keys = try MadeKeys()
        let made = try keys.make(kind, "holder")
        let element = try Escrow([try Self.holder(keys, made.certificate)]).element(
            source: Self.source(), result: Dataset())
        guard case .items(let items) = element.value else { throw EscrowError.malformed }
        #expect(items[0].string(Tag(0x0400_0510)) == "1.2.840.10008.1.2.1")
        let envelope = try keys.write(try #require(items[0].bytes(Tag(0x0400_0520))), "envelope.der")
        try keys.openssl([
            "cms", "-decrypt", "-binary", "-inform", "DER", "-in", envelope, "-recip", made.certificate, "-inkey",
            made.key, "-out",
            keys.folder + "/content",
        ])
        let content = try Dataset.parse(
            try keys.read(keys.folder + "/content"), transferSyntax: .explicitVRLittleEndian)
        let originals = try #require(content.items(Tag(0x0400_0550)).first)
        #expect(originals.string(.patientName) == "Zhang^Wei=张^伟")
        #expect(content.elements.map(\.tag) == [Tag(0x0400_0550)])
        #expect(originals.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(!originals.contains(.pixelData))
    }

    @Test func opensWhatOpenSSLSealed() throws {
        let keys = try MadeKeys()
        let made = try keys.make(.rsa, "holder")
        var originals = Dataset()
        originals.set(.patientID, .LO, string: "PID-1")
        var sealed = Dataset()
        sealed.set(Tag(0x0400_0550), items: [originals])
        let plain = try keys.write(sealed.encoded(transferSyntax: .implicitVRLittleEndian), "plain")
        try keys.openssl([
            "cms", "-encrypt", "-binary", "-aes128", "-outform", "DER", "-in", plain, "-out", keys.folder + "/envelope",
            made.certificate,
        ])
        var item = Dataset()
        item.set(Tag(0x0400_0510), .UI, string: "1.2.840.10008.1.2")
        item.set(Tag(0x0400_0520), .OB, bytes: try keys.read(keys.folder + "/envelope"))
        var header = Dataset()
        header.set(Tag(0x0400_0500), items: [item])
        let key = try HolderKey(pem: try keys.read(made.key), holder: try Self.holder(keys, made.certificate))
        #expect(try Reidentification(of: header, with: key).originals.string(.patientID) == "PID-1")
    }

    @Test func refusesWhatWasAltered() throws {
        let keys = try MadeKeys()
        let made = try keys.make(.ec, "holder")
        let holder = try Self.holder(keys, made.certificate)
        let key = try HolderKey(pem: try keys.read(made.key), holder: holder)
        let envelope = try EnvelopedData.sealed([1, 2, 3], for: [holder], cipher: .authenticated)
        #expect(try EnvelopedData.opened(envelope, with: key, cipher: .authenticated) == [1, 2, 3])
        for place in stride(from: 0, to: envelope.count, by: 17) {
            var bytes = envelope
            bytes[place] ^= 1
            // Names and numbers of the certificate, which only say whom it is for, may differ.
            if let opened = try? EnvelopedData.opened(bytes, with: key, cipher: .authenticated) {
                #expect(opened == [1, 2, 3])
            }
        }
        var bytes = envelope
        bytes[bytes.count - 1] ^= 1
        #expect(throws: EscrowError.refused) { try EnvelopedData.opened(bytes, with: key, cipher: .authenticated) }
        #expect(throws: EscrowError.malformed) { try EnvelopedData.opened(envelope, with: key, cipher: .standard) }
        #expect(throws: EscrowError.malformed) { try EnvelopedData.opened([], with: key, cipher: .standard) }
        #expect(throws: EscrowError.malformed) { try EnvelopedData.opened([0x30, 0x80], with: key, cipher: .standard) }
    }

    @Test func takesKeysUnderAPassphrase() throws {
        let keys = try MadeKeys()
        let made = try keys.make(.ec, "holder", passphrase: "correct horse")
        let holder = try Self.holder(keys, made.certificate)
        _ = try HolderKey(pem: try keys.read(made.key), passphrase: "correct horse", holder: holder)
        #expect(throws: EscrowError.privateKey) { try HolderKey(pem: try keys.read(made.key), holder: holder) }
        #expect(throws: EscrowError.privateKey) { try HolderKey(pem: [1, 2, 3], holder: holder) }
        #expect(throws: EscrowError.certificate) { try KeyHolder(try keys.read(made.key)) }
        #expect(throws: EscrowError.certificate) { try KeyHolder([]) }
    }

    @Test func sealsForAsManyAsTheLimitAndNoMore() throws {
        let keys = try MadeKeys()
        let holder = try Self.holder(keys, try keys.make(.ec, "holder").certificate)
        _ = try Escrow(Array(repeating: holder, count: EnvelopedData.recipientLimit))
        for count in [0, EnvelopedData.recipientLimit + 1] {
            #expect(throws: EscrowError.recipients(limit: EnvelopedData.recipientLimit)) {
                try Escrow(Array(repeating: holder, count: count))
            }
        }
    }

    @Test func sealsValuesUpToTheLimitAndObjectsUpToTheirs() throws {
        let keys = try MadeKeys()
        let made = try keys.make(.ec, "holder")
        let holder = try Self.holder(keys, made.certificate)
        let key = try HolderKey(pem: try keys.read(made.key), holder: holder)
        let escrow = try Escrow([holder])
        var source = Dataset()
        source.set(.patientComments, .LT, bytes: [UInt8](repeating: 0x41, count: Escrow.valueByteCountLimit))
        source.set(Tag(0x0032_4000), .LT, bytes: [UInt8](repeating: 0x41, count: Escrow.valueByteCountLimit + 2))
        let found = try Reidentification(
            of: Dataset([try escrow.element(source: source, result: Dataset())]), with: key)
        #expect(found.originals.contains(.patientComments))
        #expect(!found.originals.contains(Tag(0x0032_4000)))
        var many = Dataset()
        for number in 0...(Escrow.byteCountLimit / Escrow.valueByteCountLimit) {
            many.set(
                Tag(0x0011_1000 + UInt32(number)), .OB,
                bytes: [UInt8](repeating: 0x41, count: Escrow.valueByteCountLimit))
        }
        #expect(throws: EscrowError.tooLong(byteCountLimit: Escrow.byteCountLimit)) {
            try escrow.element(source: many, result: Dataset())
        }
    }

    // MARK: Projects

    @Test(arguments: MadeKeys.Kind.allCases)
    func aProjectsKeyGoesToOneSiteAlone(kind: MadeKeys.Kind) throws {
        let keys = try MadeKeys()
        let made = try keys.make(kind, "site")
        let other = try keys.make(kind, "other")
        let file = ProjectKeyFile(name: "肺结节-1", key: try SymmetricKey.random())
        let holder = try Self.holder(keys, made.certificate)
        let bytes = try file.sealed(for: holder)
        let opened = try ProjectKeyFile(
            opening: bytes, with: try HolderKey(pem: try keys.read(made.key), holder: holder))
        #expect(opened.name == file.name)
        #expect(opened.key.withUnsafeBytes { Array($0) } == file.key.withUnsafeBytes { Array($0) })
        #expect(try opened.checkDigits == file.checkDigits)
        #expect(try opened.checkDigits.count == 8)
        let otherKey = try HolderKey(pem: try keys.read(other.key), holder: try Self.holder(keys, other.certificate))
        #expect(throws: EscrowError.refused) { try ProjectKeyFile(opening: bytes, with: otherKey) }
        for broken in [[], Array(bytes.dropFirst(30)), Array("-----BEGIN CMS-----\nAAAA\n-----END CMS-----".utf8)] {
            #expect(throws: EscrowError.malformed) { try ProjectKeyFile(opening: broken, with: otherKey) }
        }
    }
}
