import DICOM

/// Tiny secondary captures whose names are written in many character sets. PS3.3 §C.12.1.1.2, PS3.5 annexes H to K.
enum CharacterSetPhantoms {
    private struct Case {
        var name: String
        var shows: String
        var person: String
        var description: String
        var terms: [String]
    }

    private static let cases = [
        // The second byte of 玕 is 0x5C, the backslash; that of 玘 is 0x5E, the caret.
        Case(
            name: "name-gb18030-5c", shows: "Chinese name in GB18030 with a trail byte 0x5C",
            person: "Gao^Langgan=高^琅玕",
            description: "琅玕", terms: ["GB18030"]),
        Case(
            name: "name-gb18030-5e", shows: "Chinese name in GB18030 with a trail byte 0x5E", person: "Gan^Qi=甘^玘",
            description: "甘玘", terms: ["GB18030"]),
        Case(
            name: "name-gb18030-four-byte", shows: "Chinese name in GB18030 with a character of four bytes",
            person: "Qian^Xin=钱^𬭎", description: "钱𬭎", terms: ["GB18030"]),
        Case(
            name: "name-gbk-5c", shows: "Chinese name in GBK with a trail byte 0x5C", person: "Gao^Langgan=高^琅玕",
            description: "琅玕", terms: ["GBK"]),
        Case(
            name: "name-utf8", shows: "Chinese name in UTF-8 with all three component groups",
            person: "Gu^Qingchuan=顾^清川=gù^qīngchuān", description: "清川", terms: ["ISO_IR 192"]),
        Case(
            name: "name-gb2312-escapes", shows: "Chinese name in ISO 2022 IR 58 with escape sequences",
            person: "Zhou^Mingyuan=周^明远", description: "明远", terms: ["", "ISO 2022 IR 58"]),
        Case(
            name: "name-japanese", shows: "Japanese name in ISO 2022 IR 87 with escape sequences",
            person: "Hoshimi^Aoi=星見^葵=ほしみ^あおい", description: "星見", terms: ["", "ISO 2022 IR 87"]),
        Case(
            name: "name-korean", shows: "Korean name in ISO 2022 IR 149 with escape sequences",
            person: "Byeol^Haneul=別^하늘=별^하늘", description: "하늘", terms: ["", "ISO 2022 IR 149"]),
        Case(
            name: "name-latin-1", shows: "Name in Latin-1, ISO_IR 100", person: "Müßig^Zoë", description: "Größe",
            terms: ["ISO_IR 100"]),
        Case(
            name: "name-cyrillic", shows: "Name in Cyrillic, ISO_IR 144", person: "Звездин^Лев", description: "Образец",
            terms: ["ISO_IR 144"]),
        Case(
            name: "name-greek", shows: "Name in Greek, ISO_IR 126", person: "Αστερίου^Φοίβη", description: "Δείγμα",
            terms: ["ISO_IR 126"]),
    ]

    static let recipes: [TomographyPhantoms.Recipe] = cases.enumerated().map { index, item in
        { seed in picture(item, number: index + 1, seed: seed) }
    }

    private static func picture(_ item: Case, number: Int, seed: Seed) -> Phantom {
        var subject = Subject(
            item.person, id: "PH-01\(number < 10 ? "0" : "")\(number)", born: "19900101", sex: "O", in: "")
        subject.characterSet = item.terms
        let visit = Visit(key: item.name, subject: subject, description: item.description, date: "20260122")
        let series = Series(visit: visit, key: "1", number: 1, modality: "OT", description: item.description)
        var phantom = Phantom(
            item.name, shows: item.shows, sopClassUID: SOPClassUID.secondaryCapture, series: series, number: 1,
            seed: seed)
        let disc = Ellipse.circle(31.5, 31.5, 8 + Double(number))
        let plane = Plane(columns: 64, rows: 64) { x, y in disc.contains(x, y) ? 220 : 40 + x }
        phantom.setGray([plane.bytes()], columns: 64, rows: 64, bitsStored: 8)
        phantom.dataset.put([
            "ImageType": ["DERIVED", "SECONDARY"], "ConversionType": "SYN", "PatientOrientation": .empty,
            "Laterality": .empty, "OtherPatientNames": .text(item.person),
        ])
        return phantom
    }
}
