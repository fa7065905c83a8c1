import DIMSE

/// What responses say, by service; of what the responses themselves are made of.
enum StatusTables {
    static let all = [
        table("statuses-store", [.store]), table("statuses-find", [.find]), table("statuses-retrieve", [.move, .get]),
        table("statuses-commitment", [.commitment]),
    ]

    /// One row for each status, in their order.
    private static func table(_ name: String, _ services: [MessageService]) -> ConformanceTables.Table {
        var rows: [[String]] = []
        let answers = ServiceAnswer.allCases.filter { !$0.services.isDisjoint(with: services) }
        for status in Set(answers.map(\.status)).sorted(by: { $0.rawValue < $1.rawValue }) {
            let meanings = answers.filter { $0.status == status }.map { answer in
                let own = services.filter(answer.services.contains)
                let only = own.count < services.count ? " (\(own.map(\.rawValue).joined(separator: ", ")))" : ""
                return about(answer, services) + only
            }
            rows.append(["\(status)", meanings.joined(separator: "; ")])
        }
        return ConformanceTables.Table(name, ["status", "meaning"], rows)
    }

    private static func about(_ answer: ServiceAnswer, _ services: [MessageService]) -> String {
        switch (answer, services.first) {
        case (.success, .store): "durable, and found by the next query; or held already"
        case (.success, .find): "all matches were sent"
        case (.success, .commitment): "the request is durable"
        case (.success, _): "all objects were sent"
        case (.pending, .find): "a match"
        case (.pending, _): "how far the sub-operations are"
        default: answer.about
        }
    }
}
