import Access

extension Settings {
    static let oversightTable: [Setting] = [
        Setting(
            key: "access.emergency-minutes", kind: .integer(5...1440), defaultValue: "60",
            about: "minutes that emergency access lasts"),
        Setting(
            key: "access.emergency-review-days", kind: .integer(1...90), defaultValue: "7",
            about: "days within which emergency access is to be looked at"),
        Setting(
            key: "access.review-days", kind: .integer(7...366), defaultValue: "92",
            about: "days after which accounts, peers, grants and destinations are to be confirmed again"),
        Setting(
            key: "access.review-grace-days", kind: .integer(1...92), defaultValue: "14",
            about: "days after that, at whose end what was not confirmed does not hold any more"),
        Setting(
            key: "access.masked-project", kind: .text, defaultValue: "",
            about:
                "project by whose pseudonyms objects go out that were granted masked, or are asked for de-identified; "
                + "empty: they are refused"),
        Setting(
            key: "access.institutions-abroad", kind: .list, defaultValue: "",
            about:
                "institutions that lie abroad: what they were granted holds only while a peer of theirs is approved as a "
                + "destination abroad, with a record that holds"),
    ]

    /// Who we are towards peers and people, and how long what stands holds.
    var access: Access.Settings {
        var result = Access.Settings(
            aeTitle: text("ae-title"), institution: text("institution"), issuer: text("issuer"),
            isOpenToUnknownPeers: flag("dimse.open-to-unknown-peers"))
        result.emergencies.minutes = integer("access.emergency-minutes")
        result.emergencies.reviewDays = integer("access.emergency-review-days")
        result.reviews.days = integer("access.review-days")
        result.reviews.graceDays = integer("access.review-grace-days")
        result.maskedProject = text("access.masked-project")
        result.institutionsAbroad = Set(list("access.institutions-abroad"))
        return result
    }
}
