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
}
