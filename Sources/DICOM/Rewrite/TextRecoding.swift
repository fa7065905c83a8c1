/// Makes UTF-8 of all text of a dataset while it is rewritten. PS3.3 §C.12.1.1.2, PS3.5 §6.1.
///
/// The bytes of a long text are counted before they are written, for its length stands before it, and what its character
/// set leaves open is decided by all of it. So the same source is read up to three times: for each of `preparations`, and
/// when it is written. Holds texts of up to `heldByteCount`, and some words for each longer one. Used by one thread.
public final class TextRecoding {
    /// Bytes up to which a text is made in one piece.
    public static let heldByteCount = 64 << 10

    public enum Preparation: CaseIterable, Sendable {
        /// Long texts are looked at whole.
        case survey
        /// Their bytes in UTF-8 are counted.
        case measure
    }

    private struct LongText {
        var reading: TextReading
        var byteCount: UInt64 = 0
    }

    /// Nil when it is written.
    private var preparation: Preparation?
    /// By the offset of the value.
    private var longTexts: [UInt64: LongText] = [:]
    /// Of the dataset and the items around what comes next.
    private var sets = [CharacterSet.undeclared]
    private var lastDeclared: (terms: [UInt8], set: CharacterSet) = ([], .undeclared)
    private var survey: TextSurvey?
    private var decoder: TextDecoder?
    private var givenByteCount: UInt64 = 0
    private var decoded: [UInt8] = []

    public init() {}

    /// Whether there is nothing to measure: the survey has met no long text.
    public var hasNoLongText: Bool { longTexts.isEmpty }

    /// The source is read from its beginning; nil to write it.
    func begin(_ preparation: Preparation?) {
        self.preparation = preparation
        sets = [.undeclared]
        survey = nil
        decoder = nil
    }

    var isPreparing: Bool { preparation != nil }

    // MARK: Character sets

    func beginItem() { sets.append(sets[sets.count - 1]) }

    func endItem() { sets.removeLast() }

    var isInItem: Bool { sets.count > 1 }

    /// Takes a character set into use; items mostly repeat the one around them.
    func declare(_ bytes: UnsafeRawBufferPointer) {
        let declared = Array(bytes[..<Padding.trimmedCount(bytes)])
        if declared != lastDeclared.terms { lastDeclared = (declared, CharacterSet(declared: declared)) }
        sets[sets.count - 1] = lastDeclared.set
    }

    /// A text of up to `heldByteCount`; nil when it stays as it is.
    func utf8(_ bytes: UnsafeRawBufferPointer, vr: VR) -> [UInt8]? {
        UTF8Text.isPlain(bytes) ? nil : sets[sets.count - 1].utf8(bytes, vr: vr)
    }

    // MARK: Long texts

    /// A longer text begins. Returns the count of its bytes in UTF-8; nil when that is not known yet, then it is not to be
    /// written, or when it was not met before.
    func beginLong(at offset: UInt64, vr: VR) -> UInt64? {
        givenByteCount = 0
        if preparation == .survey {
            survey = TextSurvey()
            return nil
        }
        guard let text = longTexts[offset] else { return nil }
        decoder = TextDecoder(text.reading, vr: vr)
        return preparation == nil ? text.byteCount : nil
    }

    /// The bytes that come of these; empty while it is prepared.
    func long(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        survey?.feed(bytes)
        guard decoder != nil else { return [] }
        decoded.removeAll(keepingCapacity: true)
        decoder?.decode(bytes, to: &decoded)
        givenByteCount += UInt64(decoded.count)
        return preparation == nil ? decoded : []
    }

    /// The last bytes of a long text.
    func endLong(at offset: UInt64, vr: VR) -> [UInt8] {
        if let survey { longTexts[offset] = LongText(reading: survey.reading(in: sets[sets.count - 1], vr: vr)) }
        survey = nil
        guard decoder != nil else { return [] }
        decoded.removeAll(keepingCapacity: true)
        decoder?.finish(to: &decoded)
        givenByteCount += UInt64(decoded.count)
        decoder = nil
        if preparation == .measure { longTexts[offset]?.byteCount = givenByteCount }
        return preparation == nil ? decoded : []
    }
}
