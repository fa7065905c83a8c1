import Access
import Foundation
import HTTP
import Testing

@testable import Viewer

@Suite struct PeoplePageTests {
    private static let json = """
        {"id":3,"name":"li.na","description":{"displayName":"<i>李娜</i>","institution":"\\"North\\"",
        "roles":["expert","clinician"]},"state":"active","version":4,"createdAt":0,"createdBy":"<b>","changedAt":0,
        "changedBy":"<b>","passwordChangedAt":0,"factors":["totp"]}
        """

    private func decoded<T: Decodable>(_ type: T.Type, _ text: String) throws -> T {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    private func pages(_ language: Language) throws -> [HTML] {
        let account = try decoded(Account.self, Self.json)
        let page = Page(language: language, here: "/?")
        let root = AccountActor.localOperator("root")
        let change = try decoded(
            AccountChange.self, #"{"kind":"described","at":0,"by":"<b>","after":"# + Self.json + "}")
        return [
            page.signIn(form: "f0", alert: "<x>"), page.code(form: "f0"), page.newPassword(form: "f0", alert: "<x>"),
            page.recoveryCodes(["aaaa-bbbb"], next: "/"), page.users([account], by: root, form: "f0"),
            page.user(account, changes: [change], isLockedOut: true, by: root, form: "f0", alert: "<x>"),
            page.oneTimePassword("one-time", of: account),
        ]
    }

    @Test func showsWhatPeopleAreCalledAsTextOnly() throws {
        for language in Language.allCases {
            for page in try pages(language) {
                for markup in ["<i>", "<b>", "<x>", "\"\"North"] { #expect(!page.text.contains(markup)) }
                #expect(!page.text.contains(" style=") && !page.text.contains(" onclick="))
                #expect(!page.text.contains("http:") && !page.text.contains("https:"))
            }
        }
    }

    @Test func putsATokenIntoEveryFormThatChangesSomething() throws {
        for page in try pages(.chinese) {
            for form in page.text.matches(
                of: #/<form method="post" action="([^"]+)"[^>]*>(.*?)<\/form>/#.dotMatchesNewlines())
            {
                // The token of the local operator is a secret itself.
                if form.output.1 == "/session" { continue }
                #expect(form.output.2.contains("name=\"form\" value=\"f0\""), "\(form.output.1)")
            }
        }
    }

    @Test func namesEveryFieldForWhoeverDoesNotSeeIt() throws {
        for page in try pages(.english) {
            for field in page.text.matches(of: #/<(input|select|textarea)([^>]*)>/#) {
                let text = String(field.output.2)
                if text.contains("type=\"hidden\"") || text.contains("type=\"checkbox\"") { continue }
                let id = try #require(text.firstMatch(of: #/ id="([^"]+)"/#)?.output.1)
                #expect(page.text.contains("<label for=\"\(id)\">"), "\(id)")
            }
            let ids = page.text.matches(of: #/ id="([^"]+)"/#).map { String($0.output.1) }
            #expect(Set(ids).count == ids.count)
            for named in page.text.matches(of: #/aria-(?:labelledby|describedby)="([^"]+)"/#) {
                #expect(ids.contains(String(named.output.1)))
            }
        }
    }

    @Test(arguments: SharePhrase.allCases) func saysWhatSharingNeedsInBothLanguages(_ phrase: SharePhrase) {
        #expect(!phrase.text(.chinese).isEmpty && phrase.text(.chinese) != phrase.text(.english))
    }

    @Test(arguments: PeoplePhrase.allCases) func saysEveryPhraseInBothLanguages(_ phrase: PeoplePhrase) {
        let pair = (phrase.text(.chinese), phrase.text(.english))
        #expect(pair.0.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) })
        #expect(!pair.1.isEmpty && !pair.1.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) })
    }

    @Test func saysRolesStatesAndFlawsInBothLanguages() {
        for role in Role.allCases { #expect(role.text(.chinese) != role.text(.english)) }
        for state in Account.State.allCases { #expect(state.text(.chinese) != state.text(.english)) }
        for flaw in PasswordFlaw.allCases { #expect(flaw.text(.chinese) != flaw.text(.english)) }
        for flaw in AccountFlaw.allCases { #expect(flaw.text(.chinese) != flaw.text(.english)) }
    }

    @Test func listsABoundedNumberOfUsersAndFindsTheOthers() throws {
        let page = Page(language: .english, here: "/?")
        let root = AccountActor.localOperator("root")
        func people(_ count: Int) throws -> [Account] {
            try (0..<count).map { try decoded(Account.self, Self.json.replacing("li.na", with: "user\($0).")) }
        }
        let most = page.users(try people(Page.userLimit), by: root, form: "f0").text
        #expect(most.contains(">user499.<") && !most.contains("Only the first"))
        let more = try people(Page.userLimit + 1)
        let cut = page.users(more, by: root, form: "f0").text
        #expect(!cut.contains(">user500.<") && cut.contains("Only the first"))
        let found = page.users(more, search: "USER500", by: root, form: "f0").text
        #expect(found.contains(">user500.<") && !found.contains(">user499.<") && !found.contains("Only the first"))
    }

    @Test func drawsNoCodeOfATextThatIsTooLong() {
        #expect(QRCode.svg(String(repeating: "x", count: QRCode.textByteCountLimit), label: "x") != nil)
        #expect(QRCode.svg(String(repeating: "x", count: QRCode.textByteCountLimit + 1), label: "x") == nil)
    }
}
