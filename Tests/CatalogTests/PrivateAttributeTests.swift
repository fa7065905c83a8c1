import DICOM
import Testing

@testable import Catalog

/// Private attributes that the operator has the catalogue keep.
struct PrivateAttributeTests {
    private static let entries = [
        "study 0009xx01 LO ACME 1.1", "series 0019xx0C IS ACME 1.1", "instance 0019xx0d FD ACME 1.1",
        "instance 0019xx0C LO OTHER, Inc.", "series 0021xx10 DA ACME 1.1", "instance 0009xx02 PN ACME 1.1",
    ]

    private static func policy(_ entries: [String] = entries) throws -> PrivatePolicy { try PrivatePolicy(entries) }

    /// A header with the elements of one creator in a block of a group.
    private static func put(
        _ creator: String, _ group: UInt16, _ block: UInt16, _ values: [(UInt16, VR, [UInt8])],
        into header: inout Dataset
    ) {
        header.set(Tag(group, block), .LO, string: creator)
        for (element, vr, value) in values { header.set(Tag(group, block << 8 | element), vr, bytes: value) }
    }

    private static func text(_ value: String) -> [UInt8] { Array(value.utf8) }

    private func record(
        _ number: UInt64, study: String = "1.2.1", _ policy: PrivatePolicy, _ fill: (inout Dataset) -> Void
    ) -> InstanceRecord {
        var header = keys([
            .patientID: "1001", .studyInstanceUID: study, .seriesInstanceUID: study + ".1", .modality: "CT",
            .instanceNumber: String(number),
        ])
        fill(&header)
        return InstanceRecord(
            sequence: number, header: header, sopInstanceUID: "1.2.9.\(number)", sopClassUID: "1.2.3",
            defaultIssuer: "North", transferSyntaxUID: "1.2.840.10008.1.2.1", byteCount: 1, digest: [1],
            sender: .north, receivedAt: 1, policy: .keep, pixelDataLayout: [], keeping: policy,
            placeholderUID: { $0 })
    }

    // MARK: Setting

    @Test(arguments: [
        ("", PrivatePolicyFlaw.malformed("")), ("study 0009xx01 LO", .malformed("study 0009xx01 LO")),
        ("study 0009xx01 LO  ", .malformed("study 0009xx01 LO  ")),
        ("study 00091001 LO A", .malformed("study 00091001 LO A")),
        ("study 0009xxG1 LO A", .malformed("study 0009xxG1 LO A")),
        ("study 0009xx1 LO A", .malformed("study 0009xx1 LO A")),
        ("study (0009,xx01) LO A", .malformed("study (0009,xx01) LO A")),
        ("study 0009xx01 LO A\u{7}", .malformed("study 0009xx01 LO A\u{7}")),
        ("patient 0009xx01 LO A", .unknownLevel("patient 0009xx01 LO A")),
        ("Study 0009xx01 LO A", .unknownLevel("Study 0009xx01 LO A")),
        ("study 0008xx01 LO A", .notPrivate("study 0008xx01 LO A")),
        ("study 0007xx01 LO A", .notPrivate("study 0007xx01 LO A")),
        ("study 7FE1xx01 LO A", .notPrivate("study 7FE1xx01 LO A")),
        ("study FFFFxx01 LO A", .notPrivate("study FFFFxx01 LO A")),
        ("study 0009xx01 XX A", .unusableVR("study 0009xx01 XX A")),
        ("study 0009xx01 SQ A", .unusableVR("study 0009xx01 SQ A")),
        ("study 0009xx01 OB A", .unusableVR("study 0009xx01 OB A")),
        ("study 0009xx01 UN A", .unusableVR("study 0009xx01 UN A")),
    ])
    func refusesWhatIsNoEntry(_ entry: String, _ flaw: PrivatePolicyFlaw) {
        #expect(throws: flaw) { try PrivatePolicy(["series 0019xx0C IS B", entry]) }
        #expect(flaw.description.contains("\"\(entry)\""))
    }

    @Test func refusesTooMuchAndTheSameTwice() throws {
        let many = (0..<33).map { "study 0009xx\($0 < 10 ? "0" : "")\($0) LO A" }
        #expect(try PrivatePolicy(Array(many.prefix(32))).attributes.count == 32)
        #expect(throws: PrivatePolicyFlaw.tooMany(limit: 32)) { try PrivatePolicy(many) }
        // Also under another level and VR: it would be two answers to one question.
        #expect(throws: PrivatePolicyFlaw.twice("series 0009xx01 SH A B ")) {
            try PrivatePolicy(["study 0009xx01 LO A B", "series 0009xx01 SH A B "])
        }
        let long = "study 0009xx01 LO " + String(repeating: "A", count: 65)
        #expect(throws: PrivatePolicyFlaw.malformed(long)) { try PrivatePolicy([long]) }
        #expect(try PrivatePolicy([String(long.dropLast())]).attributes.count == 1)
    }

    @Test func tellsPoliciesApartAndNotTheirOrder() throws {
        let marks = try [
            Self.entries, Array(Self.entries.dropLast()), ["study 0009xx01 LO A"], ["series 0009xx01 LO A"],
            ["study 0009xx01 SH A"], ["study 0009xx02 LO A"], ["study 0011xx01 LO A"], ["study 0009xx01 LO B"],
        ].map { try PrivatePolicy($0).mark }
        #expect(Set(marks).count == marks.count && !marks.contains(0))
        #expect(try PrivatePolicy(Self.entries.reversed()).mark == marks[0])
        #expect(PrivatePolicy.none.mark == 0 && PrivatePolicy.none.isEmpty)
        #expect(try PrivatePolicy([]).isEmpty)
    }

    // MARK: Taking

    @Test func takesWhatIsNamedWhereverItsBlockLies() throws {
        let policy = try Self.policy()
        for block in [0x10, 0x11, 0x42, 0xFF] as [UInt16] {
            var header = Dataset()
            Self.put(
                "ACME 1.1 ", 0x0009, block, [(1, .LO, Self.text("A")), (3, .LO, Self.text("SECRET"))], into: &header)
            Self.put(" ACME 1.1", 0x0019, block, [(0x0C, .IS, Self.text("7"))], into: &header)
            let found = policy.attributes(of: header)
            // One form for all.
            #expect(found.study.elements.map(\.tag) == [Tag(0x0009, 0x0010), Tag(0x0009, 0x1001)])
            #expect(found.study.string(Tag(0x0009, 0x0010)) == "ACME 1.1")
            #expect(found.study.string(Tag(0x0009, 0x1001)) == "A")
            #expect(found.series.string(Tag(0x0019, 0x100C)) == "7")
            #expect(found.instance.isEmpty)
            #expect(found.isTaken(by: policy))
        }
    }

    @Test func takesNothingOfOthers() throws {
        var header = Dataset()
        // Another creator, one in other letters, one that begins so, and a block that nobody reserved.
        Self.put("ACME 1.2", 0x0009, 0x10, [(1, .LO, Self.text("SECRET"))], into: &header)
        Self.put("acme 1.1", 0x0009, 0x11, [(1, .LO, Self.text("SECRET"))], into: &header)
        Self.put("ACME 1.1 X", 0x0009, 0x12, [(1, .LO, Self.text("SECRET"))], into: &header)
        header.set(Tag(0x0009, 0x1301), .LO, string: "SECRET")
        // The creator's own block, but another group's.
        Self.put("ACME 1.1", 0x000B, 0x10, [(1, .LO, Self.text("SECRET"))], into: &header)
        #expect(try Self.policy().attributes(of: header).isEmpty)
        Self.put("ACME 1.1", 0x0009, 0x20, [(1, .LO, Self.text("A"))], into: &header)
        #expect(PrivatePolicy.none.attributes(of: header).isEmpty)
        #expect(try Self.policy().attributes(of: header).study.string(Tag(0x0009, 0x1001)) == "A")
    }

    @Test func keepsTwoCreatorsOfOneGroupApart() throws {
        var header = Dataset()
        Self.put("OTHER, Inc.", 0x0019, 0x10, [(0x0C, .LO, Self.text("other"))], into: &header)
        Self.put(
            "ACME 1.1", 0x0019, 0x11, [(0x0C, .IS, Self.text("7")), (0x0D, .FD, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F])],
            into: &header)
        let found = try Self.policy().attributes(of: header)
        #expect(found.series.string(Tag(0x0019, 0x100C)) == "7")
        #expect(found.instance.string(Tag(0x0019, 0x0010)) == "ACME 1.1")
        #expect(found.instance.string(Tag(0x0019, 0x100D)) == "1.5")
        #expect(found.instance.string(Tag(0x0019, 0x0011)) == "OTHER, Inc.")
        #expect(found.instance.string(Tag(0x0019, 0x110C)) == "other")
    }

    @Test func readsUnknownValuesByTheVROfTheSetting() throws {
        var header = Dataset()
        header.set(.specificCharacterSet, .CS, string: "GB18030")
        let name = try #require(CharacterSet(["GB18030"]).encode("王^小东", vr: .PN))
        Self.put("ACME 1.1", 0x0009, 0x10, [(1, .UN, Self.text("A  ")), (2, .UN, name + [0x20])], into: &header)
        Self.put(
            "ACME 1.1", 0x0019, 0x10, [(0x0C, .UN, Self.text("7 ")), (0x0D, .UN, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F])],
            into: &header)
        let found = try Self.policy().attributes(of: header)
        #expect(found.study[Tag(0x0009, 0x1001)]?.vr == .LO && found.study.string(Tag(0x0009, 0x1001)) == "A")
        #expect(found.instance.string(Tag(0x0009, 0x1002)) == "王^小东")
        #expect(found.series.int(Tag(0x0019, 0x100C)) == 7)
        #expect(found.instance.double(Tag(0x0019, 0x100D)) == 1.5)
    }

    @Test func leavesOutWhatIsNoValue() throws {
        var header = Dataset()
        Self.put(
            "ACME 1.1", 0x0019, 0x10, [(0x0C, .UN, Self.text("  ")), (0x0D, .UN, [1, 2, 3])], into: &header)
        Self.put("ACME 1.1", 0x0009, 0x10, [(1, .OB, [1, 2])], into: &header)
        header.set(Tag(0x0009, 0x1002), .SQ, items: [keys([.patientID: "SECRET"])])
        #expect(try Self.policy().attributes(of: header).isEmpty)
        header.set(Element(Tag(0x0009, 0x1001), .LO, .bulk(offset: 0, length: 1 << 20)))
        #expect(try Self.policy().attributes(of: header).isEmpty)
        for (count, isKept) in [(0xFFFE, true), (0xFFFF, false)] {
            header.set(Tag(0x0009, 0x1001), .LO, bytes: [UInt8](repeating: 0x41, count: count))
            #expect(try Self.policy().attributes(of: header).study.isEmpty != isKept)
        }
        // Another VR than the setting's is the object's own.
        header.set(Tag(0x0009, 0x1001), .US, ints: [7])
        #expect(try Self.policy().attributes(of: header).study[Tag(0x0009, 0x1001)]?.vr == .US)
    }

    // MARK: Record

    @Test(arguments: [false, true], [[], [9, 9]] as [[UInt8]])
    func readsWhatItWrote(_ isCompressed: Bool, _ transfer: [UInt8]) throws {
        let policy = try Self.policy()
        for isKept in [false, true] {
            var written = record(1, isKept ? policy : .none) { header in
                Self.put("ACME 1.1", 0x0009, 0x10, [(1, .LO, Self.text("胸部"))], into: &header)
            }
            (written.isCompressed, written.transfer) = (isCompressed, transfer)
            let bytes = written.encoded()
            let read = try InstanceRecord(encoded: bytes)
            #expect(read.encoded() == bytes && read.transfer == transfer)
            #expect(read.isCompressed == isCompressed && InstanceRecord.isCompressed(encoded: bytes) == isCompressed)
            #expect(read.privates.isTaken(by: policy) == isKept && read.privates.isTaken(by: .none) != isKept)
            #expect(read.privates.study.string(Tag(0x0009, 0x1001)) == (isKept ? "胸部" : nil))
            // Without the setting it is what earlier versions write.
            #expect(bytes[0] == (isCompressed ? 2 : 1) + (transfer.isEmpty ? 0 : 2) + (isKept ? 4 : 0))
            for count in bytes.indices {
                #expect(throws: CatalogError.damagedRecord) { try InstanceRecord(encoded: Array(bytes[..<count])) }
            }
        }
        #expect(throws: CatalogError.damagedRecord) {
            try InstanceRecord(encoded: [9] + record(1, policy) { _ in }.encoded().dropFirst())
        }
    }

    // MARK: Queries

    /// Three studies with blocks at other places.
    private func fixture(_ policy: PrivatePolicy) throws -> CatalogFixture {
        let fixture = try CatalogFixture(privates: policy)
        for (number, block, word, count, date) in [
            (1, 0x10, "alpha", "7", "20260101"), (2, 0x11, "beta", "12", "20260301"), (3, 0x10, "alphabet", "7", ""),
        ] as [(UInt64, UInt16, String, String, String)] {
            try fixture.put(
                record(number, study: "1.2.\(number)", policy) { header in
                    Self.put("OTHER, Inc.", 0x0019, block ^ 1, [(0x0C, .LO, Self.text("o\(number)"))], into: &header)
                    Self.put("ACME 1.1", 0x0009, block, [(1, .LO, Self.text(word))], into: &header)
                    Self.put("ACME 1.1", 0x0019, block, [(0x0C, .IS, Self.text(count))], into: &header)
                    header.set(Tag(0x0019, block << 8 | 0x0D), .FD, numbers: ["\(number).5"])
                    if !date.isEmpty {
                        Self.put("ACME 1.1", 0x0021, block, [(0x10, .DA, Self.text(date))], into: &header)
                    }
                })
        }
        return fixture
    }

    private func asking(
        _ group: UInt16, _ element: UInt16, _ vr: VR = .LO, _ value: String = "", block: UInt16 = 0x10,
        by creator: String = "ACME 1.1"
    ) -> Dataset {
        var keys = Dataset()
        keys.set(Tag(group, block), .LO, string: creator)
        let tag = Tag(group, block << 8 | element)
        if vr.isString {
            keys.set(tag, vr, string: value)
        } else {
            keys.set(tag, vr, numbers: value.isEmpty ? [] : [value])
        }
        return keys
    }

    @Test(arguments: [0x10, 0x11, 0x77, 0xFF] as [UInt16])
    func findsByTheBlockOfTheQuestionWhereverTheObjectsIs(_ block: UInt16) throws {
        let fixture = try fixture(try Self.policy())
        func found(_ level: QueryLevel, _ keys: Dataset) throws -> [Match] { try fixture.matches(level, keys) }
        func studies(_ keys: Dataset, _ level: QueryLevel = .study) throws -> [String] {
            try found(level, keys).compactMap { $0.attributes.string(.studyInstanceUID) }
        }
        let one = try found(.study, asking(0x0009, 1, .LO, "beta", block: block))
        #expect(one.compactMap { $0.attributes.string(.studyInstanceUID) } == ["1.2.2"])
        #expect(one.first?.attributes.string(Tag(0x0009, block)) == "ACME 1.1")
        #expect(one.first?.attributes.string(Tag(0x0009, block << 8 | 1)) == "beta")
        // Nothing that was not asked for.
        #expect(one.first?.attributes.elements.filter(\.tag.isPrivate).count == 2)
        #expect(try studies(asking(0x0009, 1, .LO, "alpha*", block: block)) == ["1.2.1", "1.2.3"])
        #expect(try studies(asking(0x0009, 1, .LO, "gamma", block: block)).isEmpty)
        #expect(try studies(asking(0x0009, 1, .LO, "", block: block)).count == 3)
        #expect(try studies(asking(0x0019, 0x0C, .IS, "07", block: block), .series) == ["1.2.1", "1.2.3"])
        #expect(try studies(asking(0x0019, 0x0D, .FD, "2.50", block: block), .instance) == ["1.2.2"])
        #expect(try studies(asking(0x0021, 0x10, .DA, "20260201-", block: block), .series) == ["1.2.2"])
        #expect(try studies(asking(0x0019, 0x0C, .LO, "o3", block: block, by: "OTHER, Inc."), .instance) == ["1.2.3"])
        // Also at the levels below its own, and counted.
        #expect(try studies(asking(0x0009, 1, .LO, "beta", block: block), .instance) == ["1.2.2"])
        let query = Query(
            level: .study, keys: asking(0x0009, 1, .LO, "alpha*", block: block), visibility: .everything)
        #expect(try fixture.catalog.count(query, upTo: 10) == 2)
        #expect(try fixture.found(.study, query.keys, limit: 1, offset: 1) == ["1.2.3"])
    }

    @Test func readsKeysOfUnknownVRByTheSetting() throws {
        let fixture = try fixture(try Self.policy())
        var keys = Dataset()
        keys.set(Tag(0x0021, 0x0010), .LO, string: "ACME 1.1")
        keys.set(Tag(0x0021, 0x1010), .UN, bytes: Self.text("20260201-20260401 "))
        #expect(try fixture.found(.series, keys, .studyInstanceUID) == ["1.2.2"])
        var number = Dataset()
        number.set(Tag(0x0019, 0x0010), .LO, string: "ACME 1.1")
        number.set(Tag(0x0019, 0x100D), .UN, bytes: [0, 0, 0, 0, 0, 0, 0x0C, 0x40])
        #expect(try fixture.found(.instance, number, .studyInstanceUID) == ["1.2.3"])
        // What is no such number matches nothing, and not everything.
        number.set(Tag(0x0019, 0x100D), .UN, bytes: [1, 2, 3])
        #expect(try fixture.found(.instance, number).isEmpty)
    }

    @Test func ignoresWhatIsNotKept() throws {
        let fixture = try fixture(try Self.policy())
        for keys in [
            asking(0x0009, 3, .LO, "x"), asking(0x0009, 1, .LO, "x", by: "OTHER, Inc."), asking(0x000B, 1, .LO, "x"),
            asking(0x0009, 1, .LO, "x", by: "acme 1.1"),
        ] {
            let matches = try fixture.matches(.study, keys)
            #expect(matches.count == 3)
            #expect(matches.allSatisfy { match in !match.attributes.elements.contains(where: \.tag.isPrivate) })
        }
        // Without its creator nobody knows what it is.
        var alone = asking(0x0009, 1, .LO, "x")
        alone.remove(Tag(0x0009, 0x0010))
        #expect(try fixture.found(.study, alone).count == 3)
        // Of a level below.
        #expect(try fixture.found(.study, asking(0x0019, 0x0C, .IS, "99")).count == 3)
    }

    @Test func answersEverythingInBlocksThatDoNotMeet() throws {
        let fixture = try fixture(try Self.policy())
        var result: [Match] = []
        // The other creator's block of the answer is the one that is asked for.
        try fixture.catalog.find(
            Query(
                level: .instance, keys: asking(0x0019, 0x0C, by: "OTHER, Inc."), visibility: .everything,
                includesPrivate: true)
        ) {
            result.append($0)
            return true
        }
        let attributes = try #require(result.first).attributes
        #expect(attributes.string(Tag(0x0019, 0x0010)) == "OTHER, Inc.")
        #expect(attributes.string(Tag(0x0019, 0x100C)) == "o1")
        #expect(attributes.string(Tag(0x0019, 0x0011)) == "ACME 1.1")
        #expect(attributes.string(Tag(0x0019, 0x110C)) == "7" && attributes.string(Tag(0x0019, 0x110D)) == "1.5")
        #expect(attributes.string(Tag(0x0009, 0x1001)) == "alpha")
        #expect(attributes.string(Tag(0x0021, 0x1010)) == "20260101")
    }

    @Test func givesNothingOfWhatIsNoLongerKept() throws {
        let fixture = try fixture(try Self.policy())
        let all = asking(0x0009, 1)
        func shown(_ policy: PrivatePolicy) throws -> [String] {
            try fixture.reopen(privates: policy)
            var result: [String] = []
            try fixture.catalog.find(
                Query(level: .instance, keys: all, visibility: .everything, includesPrivate: true)
            ) { match in
                result += match.attributes.elements.filter { $0.tag.isPrivate && !$0.tag.isPrivateCreator }
                    .map { match.attributes.string($0.tag) ?? "" }
                return true
            }
            return result.sorted()
        }
        #expect(try shown(.none).isEmpty)
        #expect(try shown(Self.policy(["instance 0019xx0D FD ACME 1.1"])) == ["1.5", "2.5", "3.5"])
        // Of another level than it was taken for, only a rebuild tells.
        #expect(try shown(Self.policy(["instance 0009xx01 LO ACME 1.1"])).isEmpty)
        #expect(try shown(Self.policy()).count == 14)
    }

    @Test func takesAStudysAttributesFromWhicheverObjectHasThem() throws {
        let policy = try Self.policy(["study 0009xx01 LO ACME 1.1", "study 0009xx02 LO ZULU"])
        let fixture = try CatalogFixture(privates: policy)
        try fixture.put(record(1, policy) { _ in })
        try fixture.put(
            record(2, policy) { Self.put("ZULU", 0x0009, 0x10, [(2, .LO, Self.text("z"))], into: &$0) })
        try fixture.put(
            record(3, policy) { Self.put("ACME 1.1", 0x0009, 0x10, [(1, .LO, Self.text("a"))], into: &$0) })
        // The first one stays.
        try fixture.put(
            record(4, policy) { Self.put("ACME 1.1", 0x0009, 0x10, [(1, .LO, Self.text("b"))], into: &$0) })
        var keys = asking(0x0009, 2, block: 0x11, by: "ZULU")
        keys.merge(asking(0x0009, 1))
        let match = try #require(fixture.matches(.study, keys).first)
        #expect(match.attributes.string(Tag(0x0009, 0x1001)) == "a")
        #expect(match.attributes.string(Tag(0x0009, 0x1102)) == "z")
        #expect(try fixture.found(.study, asking(0x0009, 1, .LO, "b")).isEmpty)
    }

    @Test func filtersAttributesFromElsewhereAlike() throws {
        let policy = try Self.policy()
        let keys = asking(0x0009, 1, .LO, "al*", block: 0x33)
        let layout = PrivateLayout(keys, policy)
        let filter = AttributeFilter(keys, at: .study, MatchingOptions(), layout)
        func matches(_ word: String, _ creator: String = "ACME 1.1") -> Bool {
            var header = Dataset()
            Self.put(creator, 0x0009, 0x10, [(1, .LO, Self.text(word))], into: &header)
            var shown = Dataset()
            layout.place(policy.attributes(of: header), upTo: .study, into: &shown)
            return filter.matches(shown)
        }
        #expect(matches("alpha") && !matches("beta") && !matches("alpha", "OTHER, Inc."))
    }
}
