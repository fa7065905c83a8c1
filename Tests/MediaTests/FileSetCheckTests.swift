import Media
import Testing

struct FileSetCheckTests {
    private func directory(_ fileIDs: [String], isCut: Bool = false) -> FileSetDirectory {
        let bytes = Fixture.dicomdir(fileIDs.map { .init(fileID: $0) }).bytes
        return Fixture.directory(isCut ? Array(bytes.dropLast(10)) : bytes)
    }

    @Test func namesWhatIsMissingAndWhatIsNotListed() throws {
        var check = FileSetCheck()
        check.add(directory(["A\\ONE", "A\\TWO"]), path: "cd/DICOMDIR")
        #expect(check.lists("cd/a/one"))
        #expect(!check.lists("a/one"))
        check.note("./cd/a/one.;1", isObject: true)
        check.note("cd/A/EXTRA", isObject: true)
        check.note("cd/README.TXT", isObject: false)
        check.note("elsewhere/B", isObject: true)
        let report = try #require(check.reports().first)
        #expect(report.listed == 2)
        #expect(report.missingNames == ["A/TWO"] && report.missing == 1)
        #expect(report.unlistedNames == ["cd/A/EXTRA"] && report.unlisted == 1)
    }

    @Test func aFileBelongsToTheDeepestFileSetUnlessAnOuterOneListsIt() {
        var check = FileSetCheck()
        check.add(directory(["IN\\X"]), path: "DICOMDIR")
        check.add(directory(["Y"]), path: "IN/DICOMDIR")
        for name in ["IN/X", "IN/Y", "IN/Z", "W"] { check.note(name, isObject: true) }
        #expect(check.reports().map(\.missing) == [0, 0])
        #expect(check.reports().map(\.unlistedNames) == [["W"], ["IN/Z"]])
    }

    @Test func callsNothingUnlistedWhereTheListWasCut() throws {
        var check = FileSetCheck()
        check.add(directory(["A", "B"], isCut: true), path: "DICOMDIR")
        check.note("A", isObject: true)
        check.note("C", isObject: true)
        let report = try #require(check.reports().first)
        #expect(report.fault != nil && report.unlisted == 0)
    }

    @Test func showsNoMoreNamesThanItsBoundAndCountsAll() throws {
        var check = FileSetCheck()
        let count = FileSetReport.nameLimit + 1
        check.add(directory((1...count).map { "F\($0)" }), path: "DICOMDIR")
        for number in 1...count { check.note("G\(number)", isObject: true) }
        let report = try #require(check.reports().first)
        #expect(report.missing == count && report.missingNames.count == FileSetReport.nameLimit)
        #expect(report.unlisted == count && report.unlistedNames.count == FileSetReport.nameLimit)
    }
}
