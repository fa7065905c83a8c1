import HTTP
import Testing

@testable import Viewer

@Suite struct PageTests {
    @Test func showsWhatWasSearchedForAsTextOnly() throws {
        let search = try QueryText("name=%3Cscript%3Ealert(1)%3C/script%3E&id=%22%20onfocus=%22alert(1)")
        for language in Language.allCases {
            let text = Page(language: language, here: "/?").studies(search: search).text
            #expect(!text.contains("<script>alert"))
            #expect(text.contains("value=\"&lt;script&gt;alert(1)&lt;/script&gt;\""))
            #expect(text.contains("value=\"&quot; onfocus=&quot;alert(1)\""))
        }
    }

    @Test func escapesWhatStandsInMarkup() {
        #expect(("<b>\("<&>\"'")</b>" as HTML).text == "<b>&lt;&amp;&gt;&quot;&#39;</b>")
        let inner: HTML = "<i>\("a<b")</i>"
        #expect(("<b>\(inner)</b>" as HTML).text == "<b><i>a&lt;b</i></b>")
    }

    @Test(arguments: Phrase.allCases) func saysEveryPhraseInBothLanguages(_ phrase: Phrase) {
        let chinese = phrase.text(.chinese)
        let english = phrase.text(.english)
        #expect(!chinese.isEmpty && !english.isEmpty)
        #expect(chinese != english)
        #expect(chinese.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) })
        #expect(!english.unicodeScalars.contains { (0x4E00...0x9FFF).contains($0.value) })
    }

    @Test(arguments: [
        ("mass-export: 20000 instances within 600 s", "大量调阅：600 秒内调阅 20000 个影像实例"),
        ("mass-export: 100 studies or more within 600 s", "大量调阅：600 秒内调阅至少 100 项检查"),
        ("off-hours: 7 instances within 60 s outside working hours", "非工作时间大量调阅：60 秒内于非工作时间调阅 7 个影像实例"),
        ("repeated-refusal: 20 refusals within 600 s", "多次被拒绝：600 秒内被拒绝 20 次"),
        ("clock-jump: the clock jumped by -7 s", "时钟跳变：时钟跳变 -7 秒"), ("locked out", "登录失败过多，已锁定"),
        ("flown: away", "flown: away"), ("sink-away: <b>", "审计接收端失联：<b>"),
    ])
    func saysAlertsInChinese(_ reason: String, _ said: String) {
        #expect(ActPhrase.alert(reason, .chinese) == said)
    }

    @Test func loadsNothingFromElsewhereAndHoldsNoScriptOfItsOwn() throws {
        for language in Language.allCases {
            let page = Page(language: language, here: "/?")
            for markup in [page.signIn(form: "f", alert: "no"), page.study(), page.studies(search: try QueryText(nil))]
            {
                #expect(markup.text.contains("<html lang=\"\(language.tag)\">"))
                #expect(!markup.text.contains("http:") && !markup.text.contains("https:"))
                #expect(!markup.text.contains(" style=") && !markup.text.contains(" onclick="))
                #expect(!Phrase.json(language).contains("<"))
            }
        }
    }

    @Test func allowsOnlyItsOwnScripts() throws {
        let policy = try #require(Viewer.protections[.contentSecurityPolicy])
        #expect(policy.hasPrefix("default-src 'none'; script-src 'self';"))
        #expect(!policy.contains("unsafe"))
        #expect(policy.contains("frame-ancestors 'none'"))
    }

    @Test func carriesEveryFileThatPagesAndScriptsName() throws {
        let page = Page(language: .chinese, here: "/?")
        let pages = [page.signIn(form: "f"), page.study(), page.studies(search: try QueryText(nil))]
        var names = Set(
            pages.flatMap { $0.text.matches(of: #/\/assets\/([\w.-]+)/#).map { String($0.output.1) } })
        for asset in Asset.all.values {
            let text = String(decoding: asset.bytes, as: UTF8.self)
            names.formUnion(text.matches(of: #/from '\.\/([\w.-]+)'/#).map { String($0.output.1) })
            names.formUnion(text.matches(of: #/'\/assets\/([\w.-]+)'/#).map { String($0.output.1) })
        }
        #expect(names.isSubset(of: Set(Asset.all.keys)))
        #expect(names.count > 4)
    }

    @Test func namesAttributesByTheDataDictionary() throws {
        let text = String(decoding: try #require(Asset.all["dictionary.json"]).bytes, as: UTF8.self)
        #expect(text.contains("\"00100010\":\"PatientName\""))
    }
}
