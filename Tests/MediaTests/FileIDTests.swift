import DICOM
import Testing

struct FileIDTests {
    @Test func writesOnlyWhatTheStandardAllows() {
        #expect(FileID(["DICOM", "ST000001", "IM_1"])?.value == "DICOM\\ST000001\\IM_1")
        for component in ["", "dicom", "NINECHARS", "A.B", "A B", "É", "..", "A/B"] {
            #expect(FileID([component]) == nil, "\(component)")
        }
        #expect(FileID([]) == nil)
        #expect(FileID(Array(repeating: "A", count: FileID.componentCountLimit)) != nil)
        #expect(FileID(Array(repeating: "A", count: FileID.componentCountLimit + 1)) == nil)
        #expect(FileID([String(repeating: "A", count: FileID.characterCountLimit)]) != nil)
        #expect(FileID([String(repeating: "A", count: FileID.characterCountLimit + 1)]) == nil)
    }

    @Test func readsWhatIsMetButNothingThatLeadsOut() {
        #expect(FileID(read: ["images", "IM-0001.dcm"])?.path == "images/IM-0001.dcm")
        for components in [
            ["..", "IM1"], ["A", "..", "B"], ["."], [""], ["A", "", "B"], ["/etc/passwd"], ["A/../../B"], ["A\0B"],
            ["A\u{1B}[2J"], ["..;1"], ["   "],
        ] {
            #expect(FileID(read: components) == nil, "\(components)")
        }
        let longest = String(repeating: "x", count: FileID.readByteCountLimit)
        #expect(FileID(read: [longest]) != nil)
        #expect(FileID(read: [longest + "x"]) == nil)
        #expect(FileID(read: Array(repeating: "x", count: FileID.readComponentCountLimit)) != nil)
        #expect(FileID(read: Array(repeating: "x", count: FileID.readComponentCountLimit + 1)) == nil)
    }

    @Test func knowsAFileHoweverTheSystemShowsItsName() {
        let wanted = FileID(["DICOM", "IM000001"])?.key
        for path in [
            ["dicom", "im000001"], ["DICOM", "IM000001;1"], ["Dicom.", "IM000001.;12"], ["DICOM", "IM000001."],
        ] {
            #expect(FileID.key(ofPath: path) == wanted, "\(path)")
        }
        #expect(FileID.key(ofPath: ["DICOM", "IM000001.DCM"]) != wanted)
        #expect(FileID.key(ofPath: ["DICOM", "IM000001;A"]) != wanted)
    }
}
