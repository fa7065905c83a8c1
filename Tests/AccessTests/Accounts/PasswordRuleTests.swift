import Testing

@testable import Access

@Suite struct PasswordRuleTests {
    private func flaw(_ password: String, _ names: String...) -> PasswordFlaw? {
        PasswordRule.flaw(of: password, names: names)
    }

    @Test func asksForTwelveCharactersOrEightOfThreeKinds() {
        #expect(flaw("slowquietlyx") == nil)
        #expect(flaw("slowquietly") == .tooShort)
        #expect(flaw("slowQui7") == nil)
        #expect(flaw("slowQu7") == .tooShort)
        #expect(flaw("slowquie7x") == .tooShort)
        #expect(flaw("slow-qu7") == nil)
        #expect(flaw("慢而静的十二个字也可以用") == nil)
        #expect(flaw("慢而静的十一个字不可以") == .tooShort)
    }

    @Test func takesUpTo1024Bytes() {
        let long = String(repeating: "abcdefg ", count: 128)
        #expect(long.utf8.count == 1024)
        #expect(flaw(long) == nil)
        #expect(flaw(long + "x") == .tooLong)
    }

    @Test func refusesNamesForwardsAndBackwards() {
        #expect(flaw("my wangwei secret", "wangwei") == .holdsName)
        #expect(flaw("my WangWei secret", "wangwei") == .holdsName)
        #expect(flaw("my iewgnaw secret", "wangwei") == .holdsName)
        #expect(flaw("my wangxei secret", "wangwei") == nil)
        #expect(flaw("这是王小明自己的密码不好", "wxm", "王小明") == .holdsName)
        #expect(flaw("my li secret is it", "li", "") == nil)
    }

    @Test(arguments: [
        "Password123!", "P@ssw0rd", "1Qaz2Wsx3edc", "aaaaaaaaaaaa", "abababababab", "123456789012", "1234567890123",
        "abcdefghijklm", "Qwerty123!", "Huizhen@123", "ABCDabcdABCD".lowercased(),
    ]) func refusesTheCommonestAndTheRegular(_ password: String) {
        #expect(flaw(password) == .common)
    }

    @Test func listsNoCommonPasswordThatTheRuleRefusesAnyway() {
        for password in CommonPasswords.all { #expect(password.count >= PasswordRule.mixedLength, "\(password)") }
        #expect(CommonPasswords.all.count > 200)
    }

    @Test func takesAPasswordForTheSameHoweverAKeyboardComposesIt() throws {
        let hash = try PasswordHash(PasswordRule.normalized("caf\u{E9} au lait !"), cost: .init(exponent: 4))
        #expect(hash.matches(PasswordRule.normalized("cafe\u{301} au lait !")))
        #expect(!hash.matches(PasswordRule.normalized("cafe au lait !")))
    }
}
