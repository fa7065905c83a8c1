import Testing

@testable import Access

@Suite struct LockoutTests {
    private let name = Lockout.Subject.account("wang")

    private func lockout(_ change: (inout AccountSettings.Lockout) -> Void = { _ in }) -> Lockout {
        var settings = AccountSettings.Lockout()
        change(&settings)
        return Lockout(settings)
    }

    /// - Returns: whether the try was let go on.
    @discardableResult
    private func fail(_ lockout: inout Lockout, _ subjects: [Lockout.Subject], _ now: Double) -> Bool {
        guard lockout.begin(subjects, now: now) else { return false }
        _ = lockout.end(subjects, failed: true, now: now)
        return true
    }

    private func begin(_ lockout: inout Lockout, _ subjects: [Lockout.Subject], _ now: Double) -> Bool {
        lockout.begin(subjects, now: now)
    }

    @Test func locksAfterTheFifthFailureAndNotBefore() {
        var lockout = lockout()
        for number in 1...4 {
            #expect(fail(&lockout, [name], Double(number)))
            #expect(!lockout.isLocked(name, now: Double(number)))
        }
        #expect(fail(&lockout, [name], 5))
        #expect(lockout.isLocked(name, now: 5))
        #expect(!fail(&lockout, [name], 6))
    }

    @Test func countsFailuresOfTheLastFifteenMinutesOnly() {
        var lockout = lockout()
        for number in 0..<4 { fail(&lockout, [name], Double(number)) }
        // The first is just out of the window.
        #expect(fail(&lockout, [name], 900))
        #expect(!lockout.isLocked(name, now: 900))
        #expect(fail(&lockout, [name], 900.5))
        #expect(lockout.isLocked(name, now: 901))
    }

    @Test func endsALockAfterItsTimeAndMakesTheNextOneTwiceAsLong() {
        var lockout = lockout { $0.longest = 3000 }
        var now = 0.0
        for expected in [900.0, 1800, 3000, 3000] {
            for _ in 0..<5 { fail(&lockout, [name], now) }
            #expect(lockout.isLocked(name, now: now + expected - 1))
            #expect(!lockout.isLocked(name, now: now + expected))
            now += expected
        }
    }

    @Test func beginsAnewAfterTheLongestTimeWithoutAFailure() {
        var lockout = lockout()
        for _ in 0..<5 { fail(&lockout, [name], 0) }
        let later = 900 + 86_400.0 + 1
        for _ in 0..<5 { fail(&lockout, [name], later) }
        #expect(lockout.isLocked(name, now: later + 899))
        #expect(!lockout.isLocked(name, now: later + 900))
    }

    @Test func doesNotMakeALockLongerByWhatIsTriedWhileItLasts() {
        var lockout = lockout()
        for _ in 0..<5 { fail(&lockout, [name], 0) }
        for second in 1..<900 { #expect(!fail(&lockout, [name], Double(second))) }
        #expect(!lockout.isLocked(name, now: 900))
        #expect(fail(&lockout, [name], 900))
    }

    @Test func letsNoMoreTriesUnderWayThanMayFail() {
        var lockout = lockout()
        fail(&lockout, [name], 0)
        for _ in 0..<4 { #expect(begin(&lockout, [name], 1)) }
        #expect(!begin(&lockout, [name], 1))
        _ = lockout.end([name], failed: false, now: 1)
        #expect(begin(&lockout, [name], 1))
    }

    @Test func locksAnAddressOutWhateverTheNamesAre() {
        var lockout = lockout()
        let address = Lockout.Subject(address: "10.0.0.1")
        for number in 0..<5 { fail(&lockout, [.account("name\(number)"), address], 0) }
        #expect(!begin(&lockout, [.account("other"), address], 1))
        #expect(begin(&lockout, [.account("other"), Lockout.Subject(address: "10.0.0.2")], 1))
    }

    @Test func takesANetworkOfIPv6ForOneAddress() {
        #expect(Lockout.Subject(address: "2001:db8:0:1::1") == Lockout.Subject(address: "2001:db8:0:1:ffff::2"))
        #expect(Lockout.Subject(address: "2001:db8:0:1::1") != Lockout.Subject(address: "2001:db8:0:2::1"))
        #expect(Lockout.Subject(address: "10.0.0.1") == Lockout.Subject(address: "::ffff:10.0.0.1"))
        #expect(Lockout.Subject(address: "10.0.0.1") != Lockout.Subject(address: "10.0.0.2"))
    }

    @Test func forgetsWhatAnAccountDidWrongOnceItIsCleared() {
        var lockout = lockout()
        for _ in 0..<5 { fail(&lockout, [name], 0) }
        lockout.clear(name)
        #expect(!lockout.isLocked(name, now: 0))
        #expect(lockout.count == 0)
    }

    @Test func remembersABoundedNumberAndForgetsLocksLast() {
        var lockout = lockout()
        for _ in 0..<5 { fail(&lockout, [name], 0) }
        for number in 1..<Lockout.subjectLimit { fail(&lockout, [.account("\(number)")], Double(number) / 1000) }
        #expect(lockout.count == Lockout.subjectLimit)
        fail(&lockout, [.account("one more")], 100)
        #expect(lockout.count == Lockout.subjectLimit)
        #expect(lockout.isLocked(name, now: 100))
    }
}
