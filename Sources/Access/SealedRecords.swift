/// Records that the rest of access rests on.
typealias SealedRecords = SealedTable<RecordKind>

enum RecordKind: String, SealedKind {
    case consent, document, emergency, destination, confirmation, use, begun
    case fileAccount = "file account"

    static let layout = SealedLayout(
        table: "access_record", id: "id", content: "sealed", keyPurpose: "huizhen access records 1",
        prefix: "access record ", damage: "a row of access records is damaged")
}
