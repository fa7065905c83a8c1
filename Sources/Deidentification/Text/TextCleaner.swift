import Synchronization

/// Takes what identifies people out of free text and leaves the words of medicine.
///
/// What it finds and what it does not is in `Docs/DEIDENTIFICATION.md`. Any thread may use it. The time follows the
/// length of the text, some 5 MB/s; what is found once is not found again in the result, unless dates are shifted:
/// then they would be shifted again.
public struct TextCleaner: Sendable {
    /// Bytes of a text in UTF-8; a longer one is taken out whole.
    public static let defaultByteCountLimit = 8 << 20
    /// Looks at one text: what was taken out may show what stands beside it.
    private static let passLimit = 4

    private let forms: LazyForms
    private let dates: (any DateMapping)?
    private let byteCountLimit: Int

    /// - Parameters:
    ///   - dates: shifts the dates that are found; without it they are taken out.
    ///   - byteCountLimit: bytes of a text that is looked at; some nine times as much memory is needed for it.
    public init(
        known: KnownIdentities, dates: (any DateMapping)?, byteCountLimit: Int = defaultByteCountLimit
    ) {
        self.byteCountLimit = byteCountLimit
        forms = LazyForms(known)
        self.dates = dates
    }

    public func clean(_ text: String) -> CleanedText {
        var text = text
        if text.utf8.count < 2 { return CleanedText(text: text, findings: []) }
        let known = forms.made()
        var counts: [TextRule: Int] = [:]
        guard text.utf8.count <= byteCountLimit, !known.known.isOverfull else {
            let isChinese = text.unicodeScalars.prefix(10_000).contains { TextUnit.isIdeograph($0.value) }
            return CleanedText(
                text: isChinese ? TextRule.overlong.marks.chinese : TextRule.overlong.marks.other,
                findings: [TextFinding(rule: .overlong, count: 1)])
        }
        var barriers: [Range<Int>] = []
        for pass in 0..<Self.passLimit {
            // Dates that were shifted must not be shifted again.
            guard let next = look(&text, known, barriers, findsDates: pass == 0 || dates == nil, &counts) else { break }
            (text, barriers) = next
        }
        return CleanedText(
            text: text,
            findings: TextRule.allCases.compactMap { rule in counts[rule].map { TextFinding(rule: rule, count: $0) } })
    }

    /// One look; nil when nothing was found.
    private func look(
        _ text: inout String, _ known: IdentityForms, _ barriers: [Range<Int>], findsDates: Bool,
        _ counts: inout [TextRule: Int]
    ) -> (String, [Range<Int>])? {
        text.withUTF8 { bytes in
            let folded = FoldedText(bytes, barriers: barriers)
            var scan = TextScan(folded, known: known, dates: dates, findsDates: findsDates)
            let spans = scan.run()
            guard !spans.isEmpty else { return nil }
            var result: [UInt8] = []
            result.reserveCapacity(bytes.count)
            var replaced: [Range<Int>] = []
            var kept = barriers[...]
            var taken = 0
            func copy(to end: Int) {
                let shift = result.count - taken
                while let barrier = kept.first, barrier.lowerBound < end {
                    if barrier.lowerBound >= taken {
                        replaced.append(barrier.lowerBound + shift..<barrier.upperBound + shift)
                    }
                    kept.removeFirst()
                }
                result.append(contentsOf: bytes[taken..<max(taken, end)])
                taken = max(taken, end)
            }
            for span in spans {
                let source = folded.bytes(of: span.range)
                copy(to: source.lowerBound)
                let start = result.count
                let marks = span.rule.marks
                result.append(
                    contentsOf: (span.replacement ?? (folded.hasIdeographs ? marks.chinese : marks.other)).utf8)
                if span.replacement != nil { replaced.append(start..<result.count) }
                // Lines stay lines.
                if source.upperBound > taken {
                    result.append(
                        contentsOf: bytes[max(taken, source.lowerBound)..<source.upperBound].filter {
                            (0x0A...0x0D).contains($0)
                        })
                    while let barrier = kept.first, barrier.lowerBound < source.upperBound {
                        _ = barrier; kept.removeFirst()
                    }
                }
                taken = max(taken, source.upperBound)
                counts[span.rule, default: 0] += 1
            }
            copy(to: bytes.count)
            return (String(decoding: result, as: UTF8.self), replaced)
        }
    }
}

/// Forms that are made when a first text is to be cleaned, for many an object has none.
private final class LazyForms: Sendable {
    private let known: KnownIdentities
    private let forms = Mutex<IdentityForms?>(nil)

    init(_ known: KnownIdentities) { self.known = known }

    func made() -> IdentityForms {
        forms.withLock { forms in
            if let forms { return forms }
            let made = IdentityForms.of(known)
            forms = made
            return made
        }
    }
}
