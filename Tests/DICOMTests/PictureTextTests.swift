import Testing

@testable import DICOM

/// What is written into pictures.
struct PictureTextTests {
    private func text(
        _ wanted: PictureAnnotation = [.patient, .technique], frame: (number: Int, count: Int) = (1, 1),
        window: ValueWindow? = nil, _ fill: (inout Dataset) -> Void
    ) -> [[String]] {
        var header = Dataset()
        fill(&header)
        let reader = HeaderReader(header: header, syntax: .explicitVRLittleEndian, frameIndex: frame.number - 1) {
            _, _ in nil
        }
        return PictureText(reader, wanted, frame: frame, window: window).corners
    }

    private func name(_ value: String) -> [String] {
        text(.patient) { $0.set(.patientName, .PN, string: value) }[0]
    }

    @Test func writesNamesAsPeopleDo() {
        #expect(name("Zhang^San=张^三=") == ["张三", "Zhang San"])
        #expect(name("张^三") == ["张三"])
        #expect(name("Hong^Gildong=洪^吉洞=홍^길동") == ["洪吉洞  (홍 길동)", "Hong Gildong"])
        #expect(name("==やまだ^たろう") == ["やまだ たろう"])
        #expect(name("Müller^Jürgen^^Dr.") == ["Müller Jürgen Dr."])
        #expect(name("Li^Si=Li^Si") == ["Li Si"])
        #expect(name("e\u{301}") == ["\u{e9}"])
        #expect(name("^^") == [])
        #expect(name("") == [])
    }

    @Test func writesWhoIsShownAndNothingElseForPatient() {
        let all = text(.patient, window: ValueWindow(center: 1, width: 2, shape: .linear)) {
            $0.set(.patientName, .PN, string: "A")
            $0.set(.patientID, .LO, string: "7")
            $0.set(.patientBirthDate, .DA, string: "19850321")
            $0.set(.patientSex, .CS, string: "F")
            $0.set(.modality, .CS, string: "CT")
            $0.set(.kvp, .DS, string: "120")
        }
        #expect(all == [["A", "ID 7", "1985-03-21  F"], [], [], []])
    }

    @Test func writesHowItWasMadeAndNobodyForTechnique() {
        let all = text(.technique, frame: (3, 9), window: ValueWindow(center: 40, width: 400.456, shape: .linear)) {
            $0.set(.patientName, .PN, string: "A")
            $0.set(.patientID, .LO, string: "7")
            $0.set(.modality, .CS, string: "CT")
            $0.set(.studyDate, .DA, string: "20261121")
            $0.set(.seriesNumber, .IS, string: "3")
            $0.set(.instanceNumber, .IS, string: "12")
            $0.set(.kvp, .DS, string: "120.000")
            $0.set(.xRayTubeCurrent, .IS, string: "200")
            $0.set(.exposure, .IS, string: "100")
            $0.set(.sliceThickness, .DS, string: "0.625")
            $0.set(.sliceLocation, .DS, string: "-120.5")
        }
        #expect(
            all == [
                [], ["CT  2026-11-21", "Se 3  Im 12  Fr 3/9"], ["120 kV  200 mA  100 mAs", "ST 0.63 mm  SL -120.5 mm"],
                ["C 40  W 400.46"],
            ])
    }

    @Test func readsTheGroupsOfItsFrame() {
        let all = text(.technique, frame: (2, 2)) { header in
            func frame(_ kilovolts: Double) -> Dataset {
                var item = Dataset()
                item.set(.kvp, .DS, string: "\(kilovolts)")
                var frame = Dataset()
                frame.set(Tag(0x0018_9325), items: [item])
                return frame
            }
            header.set(.perFrameFunctionalGroupsSequence, items: [frame(80), frame(140)])
            var measures = Dataset()
            measures.set(.sliceThickness, .DS, string: "2.5")
            var shared = Dataset()
            shared.set(.pixelMeasuresSequence, items: [measures])
            header.set(.sharedFunctionalGroupsSequence, items: [shared])
        }
        #expect(all[2] == ["140 kV", "ST 2.5 mm"])
    }

    @Test func leavesOutWhatMeansNothing() {
        let all = text {
            $0.set(.patientBirthDate, .DA, string: "spring")
            $0.set(.patientID, .LO, string: "")
            $0.set(.kvp, .DS, string: "nan")
            $0.set(.exposure, .IS, string: "1e99")
            $0.set(.sliceLocation, .DS, string: "inf")
        }
        #expect(all == [["spring"], [], [], []])
        #expect(text { _ in } == [[], [], [], []])
        #expect(text([]) { $0.set(.patientName, .PN, string: "A") } == [[], [], [], []])
    }

    @Test func boundsALineAndKeepsItOne() throws {
        let limit = PictureText.lineLimit
        #expect(name(String(repeating: "x", count: limit + 1))[0].count == limit)
        #expect(name(String(repeating: "x", count: limit))[0].count == limit)
        #expect(name("a\u{1}\nb\u{85}c\u{0}d") == ["abcd"])
        var header = Dataset()
        header.set(.patientName, .PN, string: "A=丙\n\u{0}")
        header.set(.modality, .CS, string: "MR")
        let reader = HeaderReader(header: header, syntax: .explicitVRLittleEndian, frameIndex: 0) { _, _ in nil }
        let text = PictureText(reader, [.patient, .technique], frame: (1, 1), window: nil)
        #expect(text.encoded == Array("丙\nA\0MR\0\0\0".utf8))
    }
}
