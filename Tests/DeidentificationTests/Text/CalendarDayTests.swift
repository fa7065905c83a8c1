import Deidentification
import Testing

struct CalendarDayTests {
    @Test func everyDayHasANumberThatLeadsBackToIt() throws {
        var number = try #require(CalendarDay(year: 1800, month: 1, day: 1)).number
        var count = 0
        while let day = CalendarDay(number: number) {
            #expect(day.number == number)
            number += 1
            count += 1
        }
        #expect(count == 146_097)
        #expect(CalendarDay(year: 1970, month: 1, day: 1)?.number == 0)
        #expect(CalendarDay(year: 2026, month: 11, day: 21)?.number == 20_778)
    }

    @Test(arguments: [(2026, 2, 29), (1900, 2, 29), (2026, 4, 31), (2026, 13, 1), (2026, 0, 1), (1799, 1, 1)])
    func refusesADayThatTheCalendarDoesNotHave(year: Int, month: Int, day: Int) {
        #expect(CalendarDay(year: year, month: month, day: day) == nil)
    }
}
