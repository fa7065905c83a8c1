import DICOM
import Testing

@testable import Deidentification

/// Every row of Table E.1-1 with a value of its own, at every depth, scanned for in the raw output.
@Suite struct CanaryTests {
    static let profiles: [Profile] =
        Profile.named + TableRow.options.compactMap { try? Profile(name: "\($0)", options: [$0]) }

    /// Sequences inside of which objects may nest things, from the outside in.
    static let nesting: [Tag] = [
        .referencedSeriesSequence, .referencedInstanceSequence, .referencedSOPSequence, .anatomicRegionSequence,
        .procedureCodeSequence, .referencedImageSequence, .contentSequence, .referencedStudySequence,
    ]

    /// Rows whose value must not come out under a profile.
    static func secrets(_ profile: Profile) -> [TableRow] {
        TableRow.all.filter { row in
            switch row.code(profile.options) {
            case "K": false
            // Words may stay; that names go from them has tests of its own. Dates are moved.
            case "C": row.vr == .DA || row.vr == .DT
            default: true
            }
        }
    }

    @Test func theTableIsReadWhole() {
        #expect(TableRow.all.count == 654)
        #expect(TableRow.all.count { $0.element() != nil } > 640)
    }

    @Test(arguments: profiles) func noRowComesOutAtAnyDepth(profile: Profile) throws {
        var image = Sample.image()
        if profile.has(.cleanPixelData) { image.set(.burnedInAnnotation, .CS, string: "NO") }
        let secrets = Self.secrets(profile)
        var planted: [(row: TableRow, number: Int)] = []
        func plant(into dataset: inout Dataset, depth: Int) {
            for row in secrets where row.tag != .pixelData {
                let number = row.number + 1000 * depth
                guard let element = row.element(number), depth == 0 || row.tag.group > 2 else { continue }
                planted.append((row, number))
                dataset.set(element)
            }
        }
        // From the inside out, in sequences that may be there.
        var inner: Dataset?
        for depth in (1...8).reversed() {
            var item = Dataset()
            plant(into: &item, depth: depth)
            if let inner { item.set(Self.nesting[depth - 1], items: [inner]) }
            inner = item
        }
        plant(into: &image, depth: 0)
        if let inner { for tag in Self.nesting { image.set(tag, items: [inner]) } }

        for syntax in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian] {
            let deidentifier = Deidentifier(profile: profile, key: Sample.key())
            let output = try deidentifier.run(image.encoded(transferSyntax: syntax), syntax).output.bytes
            let isWordFound = Canary.isFound(Canary.word, in: output)
            let haystack = Canary.Haystack(output)
            for (row, number) in planted {
                guard let element = row.element(number) else { continue }
                switch (row.vr, element.value) {
                case (.AS, _): continue
                case (.SQ, _), (.OB, _), (.OW, _), (.UN, _):
                    if isWordFound {
                        #expect(!Canary.isFound(Array("\(Canary.word)\(number)".utf8), in: haystack), "\(row)")
                    }
                case (_, .bytes(let value)): #expect(!haystack.contains(value), "\(row) \(number)")
                default: continue
                }
            }
            #expect(!isWordFound || profile != .basic)
        }
    }

    @Test func everyFormOfACanaryIsFound() {
        let value = Array(Canary.word.utf8)
        for form in Canary.forms(value) { #expect(Canary.isFound(value, in: [1, 2, 3] + form + [4])) }
        #expect(!Canary.isFound(value, in: Array("CNRYQZ".utf8)))
    }

    // MARK: Where tables do not reach

    private func leaks(_ image: Dataset, _ profile: Profile = .basic) throws -> Bool {
        let output = try Deidentifier(profile: profile, key: Sample.key()).run(image).output.bytes
        return Canary.isFound(Canary.word, in: output)
    }

    @Test(arguments: VR.allCases) func whatNoTableKnowsGoesWhateverItsVR(vr: VR) throws {
        guard vr != .SQ else { return }
        let value = Canary.value(1, vr).map { vr.isString ? $0 : Array("CNRYZQ1212121212".utf8) }
        var image = Sample.image()
        // Public but unknown, private with and without a creator, and a known one that belongs elsewhere.
        for tag in [Tag(0x0018_FFF1), Tag(0x0029_1010), Tag(0x0029_1110), Tag(0x7FE1_1010), Tag(0x0009_0110)] {
            image.set(Element(tag, vr, .bytes(value ?? Array("CNRYZQ1212121212".utf8))))
        }
        image.set(Tag(0x0029_0010), .LO, string: "CNRYZQ CREATOR")
        let output = try Deidentifier(profile: .basic, key: Sample.key()).run(image).output.bytes
        #expect(!Canary.isFound(Canary.word, in: output))
        for value in [value].compactMap({ $0 }) { #expect(vr == .AS || !Canary.isFound(value, in: output)) }
    }

    @Test func whatBelongsElsewhereGoes() throws {
        var image = Sample.image()
        // Of a report, a plan, a slide and a hanging protocol.
        image.set(Tag(0x0040_A491), .CS, string: "CNRYZQ")
        image.set(Tag(0x300A_0003), .LO, string: "CNRYZQ")
        image.set(Tag(0x0048_0107), .ST, string: "CNRYZQ")
        image.set(Tag(0x0072_0002), .SH, string: "CNRYZQ")
        #expect(try !leaks(image))
    }

    @Test func namesOfWhichNoRowSpeaksGo() throws {
        var protocolObject = Sample.object("1.2.840.10008.5.1.4.38.1")
        protocolObject.set(Tag(0x0072_0008), .LO, string: "CNRYZQ^Joseph")
        protocolObject.set(Tag(0x0072_0010), .LO, string: "CNRYZQ Hospital")
        #expect(try !leaks(protocolObject))
        var image = Sample.image()
        var device = Dataset()
        device.set(Tag(0x0018_1003), .LO, string: "CNRYZQ")
        image.set(Tag(0x0050_0010), items: [device])
        #expect(try !leaks(image))
        let retaining = Deidentifier(profile: try Sample.profile([.retainDeviceIdentity]), key: Sample.key())
        let kept = try retaining.run(image).dataset.items(Tag(0x0050_0010)).first
        #expect(kept?.string(Tag(0x0018_1003)) == "CNRYZQ")
    }

    @Test func overlaysAndCurvesGoWhole() throws {
        var image = Sample.image()
        for group in [UInt16(0x6000), 0x601E, 0x5000, 0x50FE] {
            image.set(Tag(group, 0x0022), .LO, string: "CNRYZQ")
            image.set(Tag(group, 0x1500), .LO, string: "CNRYZQ")
            image.set(Tag(group, 0x3000), .OW, bytes: Array("CNRYZQ".utf8))
            image.set(Tag(group, 0x0010), .US, ints: [512])
        }
        let result = try Deidentifier(profile: .basic, key: Sample.key()).run(image).dataset
        #expect(!result.elements.contains { $0.tag.group >= 0x5000 && $0.tag.group < 0x7000 })
        #expect(try !leaks(image))
    }

    @Test func valuesThatTheirVRForbidsGo() throws {
        var image = Sample.image()
        image.set(Tag(0x0018_0050), .DS, string: "CNRYZQ")
        image.set(.seriesNumber, .IS, string: "CNRYZQ")
        image.set(Tag(0x0018_0060), .LO, string: "CNRYZQ")
        image.set(Tag(0x0028_1052), .OB, bytes: Array("CNRYZQ".utf8))
        image.set(Tag(0x0008_1150), .UI, string: "CNRYZQ")
        image.set(Tag(0x0018_1151), .UN, bytes: Array("CNRYZQ12".utf8))
        #expect(
            try !leaks(image, try Profile(name: "all", options: [.retainFullDates, .retainPatientCharacteristics])))
    }

    @Test func retainedDatesAreDates() throws {
        var image = Sample.image()
        for tag in [Tag.studyDate, .seriesDate, .acquisitionDate] { image.set(tag, .DA, string: "CNRYZQ12") }
        image.set(.studyTime, .TM, string: "CNRYZQ")
        image.set(.acquisitionDateTime, .DT, string: "20260101CNRYZQ")
        image.set(.timezoneOffsetFromUTC, .SH, string: "CNRYZQ")
        image.set(Tag(0x0010_1010), .AS, string: "CNRY")
        let options: Set<ConfidentialityOption> = [.retainFullDates, .retainPatientCharacteristics]
        #expect(try !leaks(image, try Profile(name: "dates", options: options)))
    }

    @Test func sequencesUnderUnknownVRAreLookedInto() throws {
        var inner = Dataset()
        inner.set(.patientName, .PN, string: "CNRYZQ^A")
        inner.set(.codeMeaning, .LO, string: "Chest")
        let item = inner.encoded(transferSyntax: .implicitVRLittleEndian)
        let length = (0..<4).map { UInt8(truncatingIfNeeded: item.count >> (8 * $0)) }
        var image = Sample.image()
        // (0008,1032) of VR UN, in implicit little endian, as PS3.5 §6.2.2 has it.
        let value = [0xFE, 0xFF, 0x00, 0xE0] + length + item
        var bytes = image.encoded(transferSyntax: .explicitVRLittleEndian)
        let place = bytes.indices.first { Array(bytes[$0..<min(bytes.count, $0 + 4)]) == [0x10, 0, 0x10, 0] }
        let count = (0..<4).map { UInt8(truncatingIfNeeded: value.count >> (8 * $0)) }
        bytes.insert(contentsOf: [0x08, 0x00, 0x32, 0x10] + Array("UN".utf8) + [0, 0] + count + value, at: place ?? 0)
        let output = try Deidentifier(profile: .basic, key: Sample.key()).run(bytes).output
        #expect(!Canary.isFound(Canary.word, in: output.bytes))
        #expect(try output.dataset().items(.procedureCodeSequence).first?.string(.codeMeaning) == "Chest")
        image.remove(.patientName)
    }

    @Test func trailingPaddingAndSignaturesGo() throws {
        var image = Sample.image()
        image.set(Tag(0xFFFC_FFFC), .OB, bytes: Array("CNRYZQ".utf8))
        var signature = Dataset()
        signature.set(Tag(0x0400_0115), .OB, bytes: Array("CNRYZQ".utf8))
        image.set(Tag(0xFFFA_FFFA), items: [signature])
        var original = Dataset()
        original.set(.patientName, .PN, string: "CNRYZQ")
        image.set(Tag(0x0400_0561), items: [original])
        #expect(try !leaks(image))
    }

    @Test func tablesEndWhereTheirDescriptorsSay() throws {
        let canary = Array("CNRYZQ".utf8)
        for (bits, table) in [(16, [1, 0, 2, 0, 3, 0, 4, 0]), (8, [1, 0, 2, 0, 3, 0, 4, 0]), (8, [1, 2, 3, 4])]
            as [(Int, [UInt8])]
        {
            var image = Sample.image()
            image.set(.photometricInterpretation, .CS, string: "PALETTE COLOR")
            for index in UInt16(0)..<3 {
                image.set(Tag(0x0028, 0x1101 + index), .US, ints: [4, 0, bits])
                // Of bytes no more than half as many words are surplus, or they would be words.
                image.set(Tag(0x0028, 0x1201 + index), .OW, bytes: table + (table.count == 8 ? canary : [0x43, 0x4E]))
            }
            let result = try Deidentifier(profile: .basic, key: Sample.key()).run(image).dataset
            for index in UInt16(0)..<3 { #expect(result.bytes(Tag(0x0028, 0x1201 + index)) == table, "\(bits)") }
        }
        var group = Dataset()
        group.set(.numberOfWaveformChannels, .US, ints: [3])
        group.set(.numberOfWaveformSamples, .UL, ints: [1])
        group.set(Tag(0x5400_1004), .US, ints: [16])
        group.set(.waveformData, .OW, bytes: [1, 0, 2, 0, 3, 0] + canary)
        var waveform = Sample.object("1.2.840.10008.5.1.4.1.1.9.1.1")
        waveform.set(Tag(0x5400_0100), items: [group])
        let result = try Deidentifier(profile: .basic, key: Sample.key()).run(waveform).dataset
        #expect(result.items(Tag(0x5400_0100)).first?.bytes(.waveformData) == [1, 0, 2, 0, 3, 0])
    }

    @Test func whatFollowsTheObjectHoldsItBack() {
        let bytes = Sample.image().encoded(transferSyntax: .explicitVRLittleEndian)
        let reason = Deidentifier(profile: .basic, key: Sample.key())
            .reason(bytes + [0, 0, 0, 0, 0, 0, 0, 0] + Array("CNRYZQ12".utf8))
        #expect(reason == .truncated)
    }

    @Test func theDeclarationIsTheProfilesOwn() throws {
        var image = Sample.image()
        image.set(.deidentificationMethod, .LO, string: "CNRYZQ")
        let output = try Deidentifier(profile: .consultation, key: Sample.key()).run(image)
        #expect(!Canary.isFound(Canary.word, in: output.output.bytes))
        let codes = try output.dataset.items(.deidentificationMethodCodeSequence).compactMap { $0.string(.codeValue) }
        // Of the pixels nothing had to be cleaned, and nothing is said to be.
        let options = Profile.consultation.orderedOptions.filter { $0 != .cleanPixelData }
        #expect(codes == ["113100"] + options.map(\.codeValue))
    }
}
