import Foundation

/// Why a password cannot be chosen.
public enum PasswordFlaw: String, Error, Sendable, CaseIterable {
    /// Shorter than 12 characters, or than 8 with three kinds of them; or longer than can be kept.
    case tooShort = "too-short"
    case tooLong = "too-long"
    /// It is, or holds, the account's name.
    case holdsName = "holds-name"
    /// One of the commonest, or few characters over and over, or a run such as 12345678.
    case common
    /// It was this account's before.
    case used
    /// It is the one-time password or the one in use.
    case unchanged
}

/// What a password must be. Rules about earlier ones stand with the account.
enum PasswordRule {
    static let length = 12
    /// Enough with characters of `classCount` kinds: small, capital, digit, anything else.
    static let mixedLength = 8
    static let classCount = 3
    static let differentCharacterCount = 5
    /// Names shorter than this may stand in a password.
    static let nameLength = 3

    /// The one way to write a password, whatever the keyboard: RFC 8265 §4.2, in its canonical form.
    static func normalized(_ password: String) -> [UInt8] {
        // Hashing refuses what is longer; nothing longer is worked on.
        guard password.utf8.count <= PasswordHash.passwordByteCountRange.upperBound else {
            return [UInt8](repeating: 0, count: PasswordHash.passwordByteCountRange.upperBound + 1)
        }
        return Array(password.precomposedStringWithCanonicalMapping.utf8)
    }

    /// - Parameters:
    ///   - names: what it must not hold: the account's name and its person's.
    /// - Returns: the first rule it breaks.
    static func flaw(of password: String, names: [String]) -> PasswordFlaw? {
        let bytes = normalized(password)
        guard bytes.count <= PasswordHash.passwordByteCountRange.upperBound else { return .tooLong }
        let text = String(decoding: bytes, as: UTF8.self)
        let scalars = Array(text.unicodeScalars)
        guard scalars.count >= length || (scalars.count >= mixedLength && classes(scalars) >= classCount) else {
            return .tooShort
        }
        let small = text.lowercased()
        for name in names.map({ $0.lowercased() }) where name.unicodeScalars.count >= nameLength {
            if small.contains(name) || small.contains(String(name.reversed())) { return .holdsName }
        }
        if CommonPasswords.all.contains(small) || Set(scalars).count < differentCharacterCount || isRun(scalars) {
            return .common
        }
        return nil
    }

    private static func classes(_ scalars: [Unicode.Scalar]) -> Int {
        Set(
            scalars.map { scalar in
                switch scalar {
                case "a"..."z": 0
                case "A"..."Z": 1
                case "0"..."9": 2
                default: 3
                }
            }
        ).count
    }

    /// Each character follows the one before, up or down.
    private static func isRun(_ scalars: [Unicode.Scalar]) -> Bool {
        let steps = zip(scalars.dropFirst(), scalars).map { Int($0.value) - Int($1.value) }
        // 1234567890 goes on from 9 to 0.
        return [1, -1].contains { step in steps.allSatisfy { $0 == step || $0 == -9 * step } }
    }
}

/// The commonest passwords that are long enough for the rule, in small letters.
enum CommonPasswords {
    static let all: Set<String> = Set(
        """
        password password1 password12 password123 password1234 password12345 password! password1! password123! p@ssw0rd
        p@ssw0rd1 p@ssw0rd123 p@ssword p@ssword1 p@ssword123 passw0rd passw0rd! passw0rd1 passw0rd123 pa$$word pa$$w0rd
        pa55word pa55w0rd qwertyuiop qwerty123 qwerty1234 qwerty12345 qwerty123456 qwerty1! qwerty123! qwertyuiop123
        1q2w3e4r 1q2w3e4r5t 1q2w3e4r! 1qaz2wsx 1qaz2wsx3edc 1qaz@wsx 1qaz!qaz !qaz2wsx !qaz@wsx zaq12wsx zaq1@wsx
        qazwsxedc qazwsx123 qazwsxedc123 asdfghjkl asdf1234 asdfghjkl123 zxcvbnm123 zxcvbnm123! abc12345 abc123456
        abcd1234 abcd1234! abc123!@# abcdef123456 a1b2c3d4 a1b2c3d4e5f6 aa123456 aa123456! aa123456. a123456789 a12345678
        admin123 admin123! admin1234 admin12345 admin@123 admin@1234 administrator administrator1 administrator123
        welcome1 welcome1! welcome123 welcome123! welcome@123 letmein1 letmein123 letmein123! changeme changeme1
        changeme123 changeme123! change_me iloveyou iloveyou1 iloveyou123 sunshine sunshine1 sunshine123 princess1
        princess123 football football1 football123 baseball baseball1 baseball123 superman superman1 superman123
        monkey123 dragon123 dragon1234 master123 michael1 michael123 jennifer trustno1 trustno1! whatever1 starwars
        starwars1 hospital1 hospital123 hospital123! hospital@123 hospital2024 hospital2025 hospital2026 huizhen123
        huizhen123! huizhen@123 yiyuan123 yiyuan123! yiyuan@123 woaini520 woaini1314 woaini1314520 woaini521 5201314abc
        a5201314 wang123456 zhang123456 li123456 liu123456 chen123456 zhongguo zhongguo1 zhongguo123 test1234 test1234!
        test@123 test12345 user1234 user12345 user@123 root1234 root@123 toor1234 guest1234 guest123! demo1234
        summer2024 summer2024! summer2025 summer2025! summer2026! winter2024! winter2025! winter2026! spring2025!
        spring2026! autumn2025! secret123 secret123! secret@123 computer1 computer123 internet1 internet123 samsung123
        google123 google123! microsoft1 company123 company123! office123! doctor123 doctor123! doctor@123 nurse123!
        radiology radiology1 radiology123 radiology1! dicom123! pacs1234 pacs123! medical123 medical123! 1234qwer
        1234qwer! 123qwe!@# 123qweasd 123qweasdzxc qwe123456 qweasd123 qweasdzxc q1w2e3r4 q1w2e3r4t5 q1w2e3r4t5y6
        112233445566 123123123123 123456789abc 123456789a 123456789q 123456abc 123456qwerty 147258369 147258369a
        987654321a 1234567890a 1234567890q 12345678a 12345678q 1234abcd 1234abcd! 12345qwert 12345qwerty 123abc123
        correcthorsebatterystaple passwordpassword qwertyqwerty adminadmin adminadminadmin administratoradministrator
        """.split(whereSeparator: \.isWhitespace).map(String.init))
}
