/// What becomes of an attribute, from the loosest to the tightest.
enum Action: UInt8, Comparable, Sendable {
    /// The value stays, once it is what its VR says; items of a sequence are looked at one by one.
    case keep
    /// Text is cleaned; items of a sequence are looked at one by one, content items by their concepts.
    case clean
    /// A date is moved, where the profile does that.
    case shift
    /// A UID becomes the project's.
    case uid
    /// A value of the same kind that says nothing, or a pseudonym.
    case dummy
    /// No value.
    case empty
    case remove

    static func < (left: Action, right: Action) -> Bool { left.rawValue < right.rawValue }
}

/// An action and the rule it comes of.
struct Ruling: Sendable {
    var action: Action
    var rule: Rule
    /// Whether the attribute must have a value here (Type 1).
    var needsValue = false
}

/// The rule that something was done by, for the report.
public enum Rule: String, Sendable, CaseIterable, Codable {
    /// PS3.15 Table E.1-1 and the profile's options.
    case confidentialityTable
    /// PS3.15 Table E.3.4-1.
    case structuredContent
    /// Does not belong into this object, or nobody knows it.
    case notOfThisObject
    /// A private attribute that nobody vouches for.
    case privateAttribute
    /// A date of which the table does not speak.
    case dateByVR
    /// An attribute that names somebody or something, of which the table does not speak.
    case identityByName
    /// An address or link.
    case link
    /// Free text that was cleaned.
    case freeText
    /// A UID that the standard does not register.
    case uid
    /// A value that its VR does not allow.
    case notOfItsVR
    /// An age over 89.
    case age
    case siteRule
    /// Overlays, curves, what stands beside the pixels.
    case beside
    /// Unused bits and bytes of pixel data.
    case pixelData
    /// Comments and other additions inside coded frames.
    case codedFrame
    /// Rectangles that the site's rules blank, and what lies around an ultrasound's regions.
    case pixelRectangle
    /// Words that were found in a picture and blanked.
    case burnedInText
    /// Frames that were coded anew, because something in them was blanked or they were coded with loss.
    case recoded
    case encapsulatedDocument
    case iccProfile
}
