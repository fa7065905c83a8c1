import DICOM

/// Somebody who does not exist.
struct Subject {
    /// The Person Name with its component groups.
    var name: String
    var id: String
    var birthDate: String
    var sex: String
    /// The terms of (0008,0005) in which the subject's objects are written.
    var characterSet: [String]

    init(_ name: String, id: String, born birthDate: String, sex: String, in characterSet: String...) {
        self.name = name
        self.id = id
        self.birthDate = birthDate
        self.sex = sex
        self.characterSet = characterSet
    }

    static let linYunqi = Subject("Lin^Yunqi=林^云起", id: "PH-0001", born: "19710418", sex: "M", in: "GB18030")
    static let suWanqing = Subject("Su^Wanqing=苏^晚晴", id: "PH-0002", born: "19850923", sex: "F", in: "ISO_IR 192")
    static let heShubai = Subject("He^Shubai=何^书白", id: "PH-0003", born: "19630702", sex: "M", in: "GBK")
    static let yeZhiwei = Subject("Ye^Zhiwei=叶^知微", id: "PH-0004", born: "19580111", sex: "F", in: "ISO_IR 192")
    static let luTingzhou = Subject("Lu^Tingzhou=陆^听舟", id: "PH-0005", born: "19920630", sex: "M", in: "GB18030")
    static let phantom = Subject("Phantom^Test", id: "PH-0006", born: "20000101", sex: "O", in: "ISO_IR 6")
}

/// A study that instances belong to.
struct Visit {
    /// What the Study Instance UID is derived from.
    var key: String
    var subject: Subject
    var description: String
    var date: String
    var time = "091500"
}

/// A series that instances belong to.
struct Series {
    var visit: Visit
    /// What the Series Instance UID is derived from, with the study's key.
    var key: String
    var number: Int
    var modality: String
    var description: String
    var bodyPart = ""

    func uid(_ seed: Seed) -> String { seed.uid("series \(visit.key) \(key)") }
    func studyUID(_ seed: Seed) -> String { seed.uid("study \(visit.key)") }
    func frameOfReferenceUID(_ seed: Seed) -> String { seed.uid("frame of reference \(visit.key)") }
}
