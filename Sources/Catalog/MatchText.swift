import DICOM

/// Values in the form in which they are compared.
enum MatchText {
    /// A DA value as YYYYMMDD; the retired form YYYY.MM.DD is met in the field. PS3.5 §6.2.
    static func date(_ value: String) -> String { value.filter { $0 != "." && $0 != "-" && $0 != " " } }

    /// A TM value without the colons of the retired form.
    static func time(_ value: String) -> String { value.filter { $0 != ":" && $0 != " " } }

    /// A person name's groups, each folded.
    static func name(_ value: String) -> (alphabetic: String, ideographic: String, phonetic: String) {
        let groups = value.split(separator: "=", maxSplits: 2, omittingEmptySubsequences: false)
        func group(_ index: Int) -> String { index < groups.count ? NameText.folded(groups[index]) : "" }
        return (group(0), group(1), group(2))
    }

    /// A DICOM wildcard pattern (`*` and `?`, PS3.4 §C.2.2.2.4) as SQLite's GLOB.
    static func glob(_ pattern: String) -> String {
        pattern.reduce(into: "") { result, character in
            if character == "[" { result += "[[]" } else { result.append(character) }
        }
    }

    /// Whether `value` matches `pattern` with `*` and `?`. Linear in the product of both lengths at worst; no
    /// recursion.
    static func wildcard(_ value: String, _ pattern: String) -> Bool {
        let value = Array(value.unicodeScalars)
        let pattern = Array(pattern.unicodeScalars)
        var v = 0
        var p = 0
        var star = -1
        var mark = 0
        while v < value.count {
            if p < pattern.count, pattern[p] == "*" {
                star = p
                mark = v
                p += 1
            } else if p < pattern.count, pattern[p] == "?" || pattern[p] == value[v] {
                p += 1
                v += 1
            } else if star >= 0 {
                p = star + 1
                mark += 1
                v = mark
            } else {
                return false
            }
        }
        while p < pattern.count, pattern[p] == "*" { p += 1 }
        return p == pattern.count
    }
}
