import Access

/// The page of institutions and roles, as markup.
extension Page {
    func institutions(_ all: [InstitutionSummary]) -> HTML {
        let rows: [[HTML]] = all.map { one in
            [
                cell(one.name + (one.isAbroad ? " (\(o(.abroad)))" : "")), cell(one.accounts), cell(one.peers),
                cell(one.given), cell(one.received), cell(one.destinations),
            ]
        }
        let verbs = Verb.allCases
        let roles: [HTML] = Role.allCases.map { role in
            let cells: [HTML] = verbs.map { verb in
                "<td>\(Policy.reach(of: role, verb).map { o($0.phrase) } ?? "–")</td>"
            }
            return "<tr><th scope=\"row\">\(role.text(language))</th>\(cells)</tr>"
        }
        let heads: [HTML] = verbs.map { "<th scope=\"col\">\(o($0.name))</th>" }
        return """
            <section>\(table([.institution, .accounts, .peers, .given, .received, .destinations], rows, label: o(.institution)))
            </section>
            <section><h2>\(o(.roles))</h2><p>\(o(.rolesHow))</p>
            <div class="wide" role="region" aria-label="\(o(.roles))" tabindex="0"><table><thead><tr>\
            <th scope="col">\(o(.role))</th>\(heads)</tr></thead><tbody>\(roles)</tbody></table></div></section>
            """
    }

    private func cell(_ value: some CustomStringConvertible) -> HTML { "\(value.description)" }
}

extension RoleReach {
    var phrase: OversightPhrase {
        switch self {
        case .granted: .reachGranted
        case .own: .reachOwn
        case .everything: .everything
        }
    }
}
