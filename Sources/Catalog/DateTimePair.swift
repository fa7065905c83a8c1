import DICOM

/// Dates and times that are matched as one moment where that was agreed on. PS3.4 §C.2.2.2.5 and §C.3.1.1.
enum DateTimePair {
    static let all: [(date: Tag, time: Tag)] = [
        (.studyDate, .studyTime), (.seriesDate, .seriesTime), (.acquisitionDate, .acquisitionTime),
        (.contentDate, .contentTime), (.instanceCreationDate, .instanceCreationTime),
        (.patientBirthDate, .patientBirthTime), (.performedProcedureStepStartDate, .performedProcedureStepStartTime),
        (.presentationCreationDate, .presentationCreationTime),
    ]

    /// From one moment to another; an empty bound is open, an empty time is the whole day.
    struct Bounds: Sendable, Equatable {
        var lowDate: String
        var lowTime: String
        var highDate: String
        var highTime: String

        func contains(date: String, time: String) -> Bool {
            let date = MatchText.date(date)
            let time = MatchText.time(time)
            guard MatchingKey.isDate(date, from: lowDate, to: highDate) else { return false }
            if date == lowDate, !lowTime.isEmpty, !MatchingKey.isTime(time, from: lowTime, to: "") { return false }
            if date == highDate, !highTime.isEmpty, !MatchingKey.isTime(time, from: "", to: highTime) { return false }
            return true
        }
    }

    /// The keys, with each range of dates and the range of times beside it as one.
    static func combined(_ keys: [MatchingKey]) -> [MatchingKey] {
        var keys = keys
        for pair in all {
            guard let date = keys.firstIndex(where: { $0.tag == pair.date }),
                let time = keys.firstIndex(where: { $0.tag == pair.time }),
                case .dateRange(let lowDate, let highDate) = keys[date].rule,
                case .timeRange(let lowTime, let highTime) = keys[time].rule,
                // A single time is no range: it is the same time on each of the days.
                lowTime != highTime
            else { continue }
            keys[date].rule = .moment(
                Bounds(lowDate: lowDate, lowTime: lowTime, highDate: highDate, highTime: highTime), time: pair.time)
            keys.remove(at: time)
        }
        return keys
    }
}
