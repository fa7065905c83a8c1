import DICOM
import Foundation

extension SiteRules {
    private struct File: Decodable {
        struct Attribute: Decodable {
            var attribute: String
            var action: Wish
            var loosens: Bool?
            var reason: String?
        }
        struct Private: Decodable {
            var creator: String
            var group: String
            var element: String
            var vr: String
            var loosens: Bool?
            var reason: String?
        }
        struct Voice: Decodable {
            var loosens: Bool?
            var reason: String?
        }
        struct Option: Decodable {
            var option: String
            var use: Bool?
            var loosens: Bool?
            var reason: String?
        }
        var options: [Option]?
        var attributes: [Attribute]?
        var `private`: [Private]?
        var voice: Voice?
    }

    /// Reads a site's file; numbers in errors count from 1.
    ///
    /// - Parameter profile: what the rules change; a rule that keeps more than it must say so.
    public init(json: [UInt8], profile: Profile) throws(SiteRulesError) {
        let file: File
        do { file = try JSONDecoder().decode(File.self, from: Data(json)) } catch { throw .unreadable }
        if (file.options?.count ?? 0) + (file.attributes?.count ?? 0) + (file.private?.count ?? 0) > Self.ruleLimit {
            throw .tooMany(limit: Self.ruleLimit)
        }
        let profile = try read(options: file.options ?? [], of: profile)
        for (index, entry) in (file.attributes ?? []).enumerated() {
            guard let tag = Tag.named(entry.attribute), !tag.isPrivate else {
                throw .unknownAttribute(ruleNumber: index + 1)
            }
            let rule = AttributeRule(
                tag: tag, wish: entry.action, loosens: entry.loosens ?? false, reason: entry.reason ?? "")
            if rule.wouldLoosen(profile), !(rule.loosens && !rule.reason.isEmpty) {
                throw .loosensSilently(ruleNumber: index + 1)
            }
            attributes.append(rule)
        }
        for (index, entry) in (file.private ?? []).enumerated() {
            let letters = Array(entry.vr.utf8)
            guard letters.count == 2, let vr = VR(bytes: letters[0], letters[1]) else {
                throw .unknownVR(ruleNumber: index + 1)
            }
            guard let group = UInt16(entry.group, radix: 16), group % 2 == 1,
                let element = UInt8(entry.element, radix: 16), !entry.creator.isEmpty
            else { throw .notPrivate(ruleNumber: index + 1) }
            guard entry.loosens == true, let reason = entry.reason, !reason.isEmpty else {
                throw .loosensSilently(ruleNumber: index + 1)
            }
            privates.append(
                PrivateRule(group: group, element: element, creator: entry.creator, vr: vr, reason: reason))
        }
        if let voice = file.voice {
            guard voice.loosens == true, let reason = voice.reason, !reason.isEmpty else {
                throw .loosensSilently(ruleNumber: 1)
            }
            voiceReason = reason
        }
    }
}

extension SiteRules {
    /// - Returns: the profile as the options leave it, which all other rules are measured by.
    private mutating func read(options written: [File.Option], of profile: Profile) throws(SiteRulesError) -> Profile {
        for (index, entry) in written.enumerated() {
            let option: ConfidentialityOption
            do throws(Profile.Contradiction) { option = try ConfidentialityOption(named: entry.option) } catch {
                throw .unknownOption(ruleNumber: index + 1)
            }
            let rule = OptionRule(
                option: option, isTaken: entry.use ?? true, loosens: entry.loosens ?? false, reason: entry.reason ?? "")
            if rule.wouldLoosen(profile), !(rule.loosens && !rule.reason.isEmpty) {
                throw .loosensSilently(ruleNumber: index + 1)
            }
            options.append(rule)
        }
        let changed: Profile
        do throws(Profile.Contradiction) {
            changed = try profile.with(
                Set(options.filter(\.isTaken).map(\.option)), without: Set(options.filter { !$0.isTaken }.map(\.option))
            )
        } catch { throw .contradiction(error) }
        if changed != profile { changedProfile = changed }
        return changed
    }
}

extension SiteRules.OptionRule {
    /// Whether the profile keeps less without this rule. Without its cleaning, what an option retains stays unclean.
    fileprivate func wouldLoosen(_ profile: Profile) -> Bool {
        isTaken ? !profile.has(option) && !option.tightens : profile.has(option) && !option.retains
    }
}

extension SiteRules.AttributeRule {
    /// Whether the profile does more about the attribute than this rule wants.
    func wouldLoosen(_ profile: Profile) -> Bool {
        let code = Confidentiality.rows[tag.rawValue]?.code(profile.options)
        switch (wish, code) {
        case (.remove, _): return false
        // What no row names is kept where it belongs; keeping it where it does not loosens too.
        case (.keep, .k): return false
        case (.clean, .k), (.clean, .c): return false
        case (.empty, .k), (.empty, .c), (.empty, .z), (.empty, .d), (.empty, .zd), (.empty, nil): return false
        case (.dummy, .k), (.dummy, .c), (.dummy, .d), (.dummy, nil): return false
        case (.clean, nil): return false
        default: return true
        }
    }
}
