import DICOM
import Testing

@testable import Deidentification

/// Dates that are moved keep their distances; ages are capped.
@Suite struct DateTests {
    private func run(_ image: Dataset, _ options: Set<ConfidentialityOption> = [.retainModifiedDates]) throws -> Dataset
    {
        try Deidentifier(profile: try Sample.profile(options), key: Sample.key()).run(image).dataset
    }

    private func day(_ text: String?) throws -> Int {
        try #require(ValueCheck.day(Array((text ?? "").prefix(8).utf8))).number
    }

    @Test func intervalsOfOnePatientStay() throws {
        var image = Sample.image()
        image.set(.studyDate, .DA, string: "20240228")
        image.set(.seriesDate, .DA, string: "20240301")
        image.set(.acquisitionDateTime, .DT, string: "20240302235959.123456+0800")
        image.set(.acquisitionTime, .TM, string: "235959.5")
        let result = try run(image)
        let study = try day(result.string(.studyDate))
        #expect(try day(result.string(.seriesDate)) == study + 2)
        #expect(try day(result.string(.acquisitionDateTime)) == study + 3)
        #expect(result.string(.acquisitionDateTime)?.hasSuffix("235959.123456+0800") == true)
        #expect(result.string(.acquisitionTime) == "235959.5")
        #expect(study < (try day("20240228")))
        #expect(result.string(Tag(0x0028_0303)) == "MODIFIED")
        // Another study of the same patient is moved by as much.
        var later = Sample.image(uid: "1.2.826.0.1.3680043.9.1.9")
        later.set(.studyInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.1.8")
        later.set(.studyDate, .DA, string: "20250228")
        #expect(try day(run(later).string(.studyDate)) - study == 366)
        // Another patient's are not.
        later.set(.patientID, .LO, string: "PID-0816")
        #expect(try day(run(later).string(.studyDate)) - study != 366)
    }

    @Test func datesInReportsAreMovedAlike() throws {
        var report = Sample.object(Sample.comprehensiveReport)
        report.set(.valueType, .CS, string: "CONTAINER")
        report.set(
            .contentSequence,
            items: [
                ReportTests.item("DATE", "111060", "Study Date") { $0.set(.date, .DA, string: "20260315") },
                ReportTests.item("DATETIME", "113809", "Start of X-Ray Irradiation") {
                    $0.set(.dateTime, .DT, string: "20260316101112")
                },
            ])
        let result = try run(report, [.retainModifiedDates, .cleanStructuredContent])
        let study = try day(result.string(.studyDate))
        let items = result.items(.contentSequence)
        #expect(try day(items.first?.string(.date)) == study + 1)
        #expect(try day(items.last?.string(.dateTime)) == study + 2)
        #expect(items.last?.string(.dateTime)?.hasSuffix("101112") == true)
    }

    @Test func whatCannotBeMovedGoes() throws {
        var image = Sample.image()
        image.set(.acquisitionDateTime, .DT, string: "2024")
        image.set(.seriesDate, .DA, string: "20241399")
        let result = try run(image)
        #expect(result.string(.acquisitionDateTime) == "")
        #expect(result.string(.seriesDate) == "")
    }

    @Test func fullDatesStayAndAreSaidTo() throws {
        var image = Sample.image()
        image.set(.acquisitionDateTime, .DT, string: "20240302235959.123456+0800")
        let result = try run(image, [.retainFullDates])
        #expect(result.string(.studyDate) == "20260314")
        #expect(result.string(.acquisitionDateTime) == "20240302235959.123456+0800")
        #expect(result.string(Tag(0x0028_0303)) == "UNMODIFIED")
        #expect(result.string(.patientBirthDate) == "")
    }

    @Test(arguments: [
        ("089Y", "089Y"), ("090Y", "089Y"), ("104Y", "089Y"), ("999D", "999D"), ("999W", "999W"), ("900M", "900M"),
        ("044Y", "044Y"), ("44", ""),
    ])
    func agesOver89AreCapped(age: String, expected: String) throws {
        var image = Sample.image()
        image.set(.patientAge, .AS, string: age)
        #expect(try run(image, [.retainPatientCharacteristics]).string(.patientAge) == expected)
    }

    @Test func fullAndModifiedDatesExcludeEachOther() {
        #expect(throws: Profile.Contradiction.twoKindsOfDates) {
            try Profile(name: "both", options: [.retainFullDates, .retainModifiedDates])
        }
    }
}
