import HTTP
import Testing

@testable import Viewer

@Suite struct TransferPageTests {
    private func row(_ phase: TransferRow.Phase = .underWay, isSending: Bool = false) -> TransferRow {
        TransferRow(
            id: String(repeating: "a", count: 32), isSending: isSending, site: "NORTH", phase: phase, objectsThere: 12,
            objects: 500, byteCountThere: 6_300_000, byteCount: 262_000_000, rate: 11_900_000, resentByteCount: 0,
            startedAt: 0, note: "<b>a note</b>")
    }

    @Test func saysHowFarATransferIsInBothLanguages() {
        let english = Page(language: .english, here: "/transfers?").transfers([(row(), nil)]).text
        for text in ["<td>from</td>", "12 of 500", "6.3 MB of 262 MB", "11.9 MB/s", "under way"] {
            #expect(english.contains(text), "\(text)")
        }
        let chinese = Page(language: .chinese, here: "/transfers?").transfers([(row(isSending: true), nil)]).text
        for text in ["<td>发往</td>", "12 / 500", "传输中"] { #expect(chinese.contains(text), "\(text)") }
    }

    @Test func namesAStudyOnlyWhereItMayBeOpened() {
        let page = Page(language: .english, here: "/transfers?")
        #expect(!page.transfers([(row(), nil)]).text.contains("/viewer/"))
        let id = String(repeating: "a", count: 32)
        #expect(page.transfers([(row(), "1.2.3")]).text.contains("href=\"/viewer/1.2.3?arriving=\(id)\""))
    }

    @Test func takesNotesForText() {
        let text = Page(language: .english, here: "/transfers?").transfers([(row(), nil)]).text
        #expect(text.contains("&lt;b&gt;a note") && !text.contains("<b>a note"))
        #expect(!text.contains(" style=") && !text.contains("http:"))
    }

    @Test func tellsARateOnlyWhileItIsUnderWay() {
        let page = Page(language: .english, here: "/transfers?")
        for phase in TransferRow.Phase.allCases where phase != .underWay {
            #expect(!page.transfers([(row(phase), nil)]).text.contains("/s<"), "\(phase)")
        }
    }

    @Test(arguments: TransferPhrase.allCases) func saysEveryPhraseInBothLanguages(_ phrase: TransferPhrase) {
        #expect(!phrase.text(.chinese).isEmpty && !phrase.text(.english).isEmpty)
        #expect(phrase.text(.chinese) != phrase.text(.english))
    }

    @Test func countsBytesByPowersOfAThousand() {
        let cases: [(UInt64, String)] = [
            (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_900, "99.9 kB"), (100_000, "100 kB"),
            (UInt64.max, "18.4 EB"),
        ]
        for (count, text) in cases { #expect(Page.amount(count) == text) }
    }
}
