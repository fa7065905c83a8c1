import DICOM
import Testing

@testable import Transfer

/// In which order a study goes, so that whoever waits can begin to read.
struct SendingOrderTests {
    private func instance(_ name: String, series: Int, _ number: Int) -> Dataset {
        var result = image(number)
        result.set(.seriesInstanceUID, .UI, string: "1.2.1.\(series)")
        result.set(.sopInstanceUID, .UI, string: name)
        return result
    }

    @Test func sendsKeyObjectsThenTheMiddleThenTheQuartersThenAllSeriesBesideEachOther() throws {
        let fixture = try TransferFixture()
        var keys = instance("1.2.9.3.1", series: 3, 1)
        keys.set(.sopClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.88.59")
        keys.set(.modality, .CS, string: "KO")
        // 40 images and 8, and what says which of them matter comes last into the archive.
        let images = [(1, 40), (2, 8)].flatMap { series, count in
            (1...count).map { instance("1.2.9.\(series).\($0)", series: series, $0) }
        }
        _ = try fixture.outgoing(images + [keys])
        let series = try fixture.archive.series(ofStudy: "1.2.1", visibility: .everything, limit: 1000)
        let order = SendingOrder.ordered(series).map(\.sopInstanceUID)
        #expect(order.count == 49 && Set(order).count == 49)
        #expect(order[0] == "1.2.9.3.1")
        #expect(Array(order[1...2]) == ["1.2.9.1.21", "1.2.9.2.5"])
        #expect(Array(order[3...6]) == ["1.2.9.1.11", "1.2.9.2.3", "1.2.9.1.31", "1.2.9.2.7"])
        // A run of the one, all that is left of the other, and the rest in order.
        let long = (1...40).filter { ![11, 21, 31].contains($0) }.map { "1.2.9.1.\($0)" }
        let short = [1, 2, 4, 6, 8].map { "1.2.9.2.\($0)" }
        let expected: [String] = Array(long[..<16]) + short + Array(long[16...])
        #expect(Array(order[7...]) == expected)
    }

    @Test func sendsASeriesOfOneImageOnce() throws {
        let fixture = try TransferFixture()
        _ = try fixture.outgoing([instance("1.2.9.1.1", series: 1, 1)])
        let series = try fixture.archive.series(ofStudy: "1.2.1", visibility: .everything, limit: 10)
        #expect(SendingOrder.ordered(series).map(\.sopInstanceUID) == ["1.2.9.1.1"])
    }
}
