/// Moves a patient's dates by whole days, so that intervals and times of day stay.
struct DayShift: DateMapping {
    let dayCount: Int

    func mapped(_ day: CalendarDay) -> CalendarDay? { CalendarDay(number: day.number + dayCount) }
}
