/// An option of the Basic Application Level Confidentiality Profile. PS3.15 §E.3, PS3.16 CID 7050.
public enum ConfidentialityOption: String, Sendable, CaseIterable, Codable, CodingKeyRepresentable {
    case cleanPixelData
    case cleanRecognizableVisualFeatures
    case cleanGraphics
    case cleanStructuredContent
    case cleanDescriptors
    case retainFullDates
    case retainModifiedDates
    case retainPatientCharacteristics
    case retainDeviceIdentity
    case retainUIDs
    case retainSafePrivate
    case retainInstitutionIdentity

    /// Of coding scheme DCM.
    public var codeValue: String {
        switch self {
        case .cleanPixelData: "113101"
        case .cleanRecognizableVisualFeatures: "113102"
        case .cleanGraphics: "113103"
        case .cleanStructuredContent: "113104"
        case .cleanDescriptors: "113105"
        case .retainFullDates: "113106"
        case .retainModifiedDates: "113107"
        case .retainPatientCharacteristics: "113108"
        case .retainDeviceIdentity: "113109"
        case .retainUIDs: "113110"
        case .retainSafePrivate: "113111"
        case .retainInstitutionIdentity: "113112"
        }
    }

    /// An option by its code, 113111, or its name here, retainSafePrivate.
    ///
    /// - Throws: `.unknownOption`.
    public init(named name: String) throws(Profile.Contradiction) {
        guard let option = Self.allCases.first(where: { $0.codeValue == name || $0.rawValue == name }) else {
            throw .unknownOption(known: Self.allCases.map { "\($0.codeValue) \($0.rawValue)" })
        }
        self = option
    }

    /// Whether less comes out with it than without: all others keep something, if only its words.
    var tightens: Bool { self == .cleanPixelData || self == .cleanRecognizableVisualFeatures }

    /// Whether something stays with it as it is.
    var retains: Bool { rawValue.hasPrefix("retain") }

    public var codeMeaning: String {
        switch self {
        case .cleanPixelData: "Clean Pixel Data Option"
        case .cleanRecognizableVisualFeatures: "Clean Recognizable Visual Features Option"
        case .cleanGraphics: "Clean Graphics Option"
        case .cleanStructuredContent: "Clean Structured Content Option"
        case .cleanDescriptors: "Clean Descriptors Option"
        case .retainFullDates: "Retain Longitudinal Temporal Information Full Dates Option"
        case .retainModifiedDates: "Retain Longitudinal Temporal Information Modified Dates Option"
        case .retainPatientCharacteristics: "Retain Patient Characteristics Option"
        case .retainDeviceIdentity: "Retain Device Identity Option"
        case .retainUIDs: "Retain UIDs Option"
        case .retainSafePrivate: "Retain Safe Private Option"
        case .retainInstitutionIdentity: "Retain Institution Identity Option"
        }
    }

    /// What it means, for people.
    public var chinese: String {
        switch self {
        case .cleanPixelData: "清除像素中的文字"
        case .cleanRecognizableVisualFeatures: "清除可辨认的面部特征"
        case .cleanGraphics: "清理图形与文字标注"
        case .cleanStructuredContent: "清理结构化报告内容"
        case .cleanDescriptors: "清理描述文字"
        case .retainFullDates: "保留原始日期与时间"
        case .retainModifiedDates: "日期按患者整日平移，间隔不变"
        case .retainPatientCharacteristics: "保留患者特征（性别、年龄、身高、体重等，89 岁以上封顶）"
        case .retainDeviceIdentity: "保留设备标识"
        case .retainUIDs: "保留原始 UID"
        case .retainSafePrivate: "保留已知安全的私有属性"
        case .retainInstitutionIdentity: "保留机构标识"
        }
    }

    public var english: String {
        switch self {
        case .cleanPixelData: "text burned into pixels is blanked"
        case .cleanRecognizableVisualFeatures: "recognizable faces are made unrecognizable"
        case .cleanGraphics: "graphics and text annotations are cleaned"
        case .cleanStructuredContent: "structured reports are cleaned, item by item"
        case .cleanDescriptors: "descriptions are cleaned of identifying words"
        case .retainFullDates: "dates and times stay as they are"
        case .retainModifiedDates: "dates are moved by whole days for each patient; intervals stay"
        case .retainPatientCharacteristics: "sex, age, size, weight and the like stay; ages over 89 are capped"
        case .retainDeviceIdentity: "the device's identity stays"
        case .retainUIDs: "UIDs stay as they are"
        case .retainSafePrivate: "private attributes known to be safe stay"
        case .retainInstitutionIdentity: "the institution's identity stays"
        }
    }
}
