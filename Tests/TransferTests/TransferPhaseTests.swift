import Testing

@testable import Transfer

/// What operators read about a transfer.
struct TransferPhaseTests {
    private func status(
        _ state: TransferRecord.State, isPaused: Bool = false, isSilent: Bool = false
    ) -> TransferStatus {
        TransferStatus(
            record: TransferRecord(
                id: "0", direction: .receiving, site: "NORTH", study: "1.2", isOurs: false, state: state, startedAt: 0,
                changedAt: 0, objects: 1, byteCount: 1, note: "", hasReceipt: false),
            isPaused: isPaused, isSilent: isSilent)
    }

    @Test func callsWhatTheOtherSideDrivesUnderWayWhileItIsHeardOf() {
        #expect(status(.open).phase == .underWay)
        #expect(status(.open, isSilent: true).phase == .quiet)
        #expect(status(.open, isPaused: true, isSilent: true).phase == .paused)
        #expect(status(.complete, isSilent: true).phase == .complete)
        #expect(status(.cancelled, isSilent: true).phase == .cancelled)
    }

    @Test func tellsTheTimeLeftByWhatThisRunBroughtAlone() {
        var resumed = status(.open)
        #expect(resumed.timeLeft == nil)
        var figures = TransferProgress.Figures()
        figures.byteCount = 1_000_000
        figures.byteCountThere = 900_000
        figures.elapsed = 5_000
        resumed.figures = figures
        // Nothing of it came in this run.
        #expect(resumed.timeLeft == nil)
        // 50 kB in 5 s, and 100 kB to go.
        resumed.figures?.byteCountGained = 50_000
        #expect(resumed.timeLeft == 10)
        resumed.figures?.byteCountThere = 1_000_000
        #expect(resumed.timeLeft == nil)
    }
}
