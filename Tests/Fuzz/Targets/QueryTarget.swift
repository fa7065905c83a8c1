import DICOM

@testable import Catalog
@testable import DIMSE

extension FuzzTarget {
    /// The keys of a query, matched with a dataset of the same input.
    static let query = FuzzTarget("query") { _ in
        querySeeds()
    } run: { input in
        var reader = InputReader(input)
        let levels: [QueryLevel] = [.patient, .study, .series, .instance]
        let level = reader.choice(levels)
        let choices = reader.byte()
        let syntax = messageSyntaxes[Int(choices & 3)]
        let keyBytes = reader.block()
        guard let keys = try? Dataset.parse(keyBytes, transferSyntax: syntax, limits: tightLimits),
            let held = try? Dataset.parse(
                Array(reader.rest), transferSyntax: .explicitVRLittleEndian, limits: tightLimits)
        else { return }
        let keysOnly = MatchingKey.keys(keys, options(choices)) { LevelAttributes.isSupported($0) }
        for key in keysOnly { try check(key, held) }
        for element in keys.elements { _ = MatchText.glob(keys.string(element.tag) ?? "") }
        let answer = FindAnswer(
            keys: keys, level: level, aeTitle: "HUIZHEN", transferSyntax: .explicitVRLittleEndian, keeping: fuzzPolicy)
        _ = answer.hasUnsupportedKeys
        let identifier = answer.identifier(Match(attributes: held, holding: nil))
        let read = try Dataset.parse(identifier, transferSyntax: .explicitVRLittleEndian)
        try require(read.string(.queryRetrieveLevel) == level.name, "an answer is of another level")
    }
}

/// What was agreed on, in bits.
func options(_ choices: UInt8) -> MatchingOptions {
    var options = MatchingOptions()
    options.combinesDateTime = choices & 0x10 != 0
    options.isFuzzy = choices & 0x20 != 0
    options.matchesEmptyValues = choices & 0x40 != 0
    options.matchesMultipleValues = choices & 0x80 != 0
    return options
}

/// What holds of every key.
private func check(_ key: MatchingKey, _ held: Dataset) throws {
    let isMatch = key.matches(held)
    if key.isUniversal { try require(isMatch, "a universal key does not match") }
    guard case .wildcard(let pattern) = key.rule else { return }
    // Each wildcard stands for itself too.
    try require(MatchText.wildcard(pattern, pattern), "a pattern does not match itself")
    try require(MatchText.wildcard(pattern, "*"), "a star does not match")
}

private func querySeeds() -> [[UInt8]] {
    let held = heldSeed().encoded(transferSyntax: .explicitVRLittleEndian)
    let patterns = [
        "", "*", "WANG*", "*ONG", "W?NG^*", "*A*A*A*A*A*B", "王*", "=王?", "20240101-20240301", "-20240301",
        "1.2.3\\1.2.4",
        "0800-1200.5", "12",
    ]
    let names: [(Tag, VR)] = [
        (.patientName, .PN), (.patientID, .LO), (.studyDate, .DA), (.studyTime, .TM), (.studyInstanceUID, .UI),
        (.modalitiesInStudy, .CS), (.studyDescription, .LO), (.seriesNumber, .IS), (.rows, .US),
    ]
    return patterns.enumerated().map { index, pattern in
        var keys = Dataset()
        keys.set(.queryRetrieveLevel, .CS, string: "STUDY")
        for (tag, vr) in names { keys.set(tag, vr, strings: [pattern]) }
        var item = Dataset()
        item.set(.codeValue, .SH, string: pattern)
        keys.set(.procedureCodeSequence, items: [item])
        let syntax = messageSyntaxes[index % 3]
        return [1, UInt8(index % 3) | UInt8(truncatingIfNeeded: index << 4)]
            + block(keys.encoded(transferSyntax: syntax)) + held
    }
}

/// What is held of a study, small.
func heldSeed() -> Dataset {
    var held = Dataset()
    held.set(.studyDate, .DA, string: "20240203")
    held.set(.studyTime, .TM, string: "101530.25")
    held.set(.modalitiesInStudy, .CS, strings: ["CT", "SR"])
    held.set(.studyDescription, .LO, string: "THORAX NATIV")
    held.set(.patientName, .PN, string: "Wang^XiaoDong=王^小东=Wáng^Xiǎodōng")
    held.set(.patientID, .LO, string: "AAAAAAAAAAAAAAAAAAAA")
    held.set(.studyInstanceUID, .UI, string: "1.2.3")
    held.set(.seriesNumber, .IS, string: "12")
    held.set(.rows, .US, ints: [512])
    var item = Dataset()
    item.set(.codeValue, .SH, string: "T-1")
    held.set(.procedureCodeSequence, items: [item])
    return held
}
