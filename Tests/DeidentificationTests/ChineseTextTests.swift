import DICOM
import Testing

@testable import Deidentification

/// Chinese text in the encodings hospitals write, 0x5C inside of characters included.
@Suite struct ChineseTextTests {
    /// 乗 and 誠 end with 0x5C in GB18030.
    private func image(_ set: String) throws -> [UInt8] {
        var image = Sample.image()
        image.set(.patientName, .PN, string: "Cheng^Cheng=乗^誠")
        image.set(.institutionName, .LO, string: "乗誠医院")
        image.set(.studyDescription, .LO, string: "乗誠 胸部CT平扫")
        image.set(.imageComments, .LT, string: "患者乗誠，身份证号11010519491231002X，右肺结节")
        return image.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: CharacterSet([set]))
    }

    @Test(arguments: ["GB18030", "GBK", "ISO_IR 192"])
    func namesGoAndMedicalWordsStay(set: String) throws {
        let bytes = try image(set)
        #expect(set == "ISO_IR 192" || bytes.contains(0x5C))
        let outcome = try Deidentifier(profile: .consultation, key: Sample.key()).run(bytes)
        let result = try outcome.dataset
        #expect(result.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(result.string(.studyDescription)?.contains("胸部CT平扫") == true)
        for name in ["乗誠", "乗^誠", "医院", "11010519491231002X"] {
            #expect(!Canary.isFound(name, in: outcome.output.bytes), "\(name)")
            let legacy = CharacterSet(["GB18030"]).encode(name, vr: .LO) ?? []
            #expect(!Canary.isFound(legacy, in: outcome.output.bytes), "\(name)")
        }
    }

    @Test func itemsWithACharacterSetOfTheirOwnAreRead() throws {
        var item = Dataset()
        item.set(.codeValue, .SH, string: "1")
        item.set(.codeMeaning, .LO, string: "胸部")
        let inner = item.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: CharacterSet(["GB18030"]))
        var image = Sample.image()
        image.remove(.patientName)
        var bytes = image.encoded(transferSyntax: .explicitVRLittleEndian)
        func little(_ count: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } }
        let value = [0xFE, 0xFF, 0x00, 0xE0] + little(inner.count) + inner
        let place = try #require(bytes.indices.first { Array(bytes[$0..<$0 + 4]) == [0x10, 0, 0x20, 0] })
        bytes.insert(
            contentsOf: [0x08, 0x00, 0x32, 0x10] + Array("SQ".utf8) + [0, 0] + little(value.count) + value, at: place)
        let result = try Deidentifier(profile: .basic, key: Sample.key()).run(bytes).dataset
        let code = try #require(result.items(.procedureCodeSequence).first)
        #expect(code.string(.codeMeaning) == "胸部")
        #expect(!code.contains(.specificCharacterSet))
    }
}
