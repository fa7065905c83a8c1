import DICOM

/// Why an instance is not passed on. Names no value.
public enum Quarantine: Error, Hashable, Sendable {
    /// The bytes are not what the transfer syntax says, or break a bound.
    case unreadable(ParseError)
    /// Something contradicts the standard and could only be guessed at.
    case damaged
    /// The instance ends too early, or goes on after its end.
    case truncated
    /// SOP Class UID or SOP Instance UID are missing or none.
    case noIdentity
    /// A DICOMDIR names patients and files; it is made anew from what was de-identified.
    case directory
    /// The transfer syntax is not one that is written.
    case transferSyntax
    /// Burned-in text is declared, and nothing cleans it.
    case burnedInText
    /// The kind of picture may hold text, the profile demands its cleaning, and nothing cleans it.
    case pixelsNotCleaned
    /// Recognizable features are declared, or they are likely and the profile demands their cleaning, and nothing cleans
    /// them.
    case featuresNotCleaned
    /// A voice identifies its speaker, and may say names.
    case voice
    /// A document of a kind of which no placeholder can be made.
    case document
    /// Coded frames cannot be taken apart.
    case stream(StreamError)
    /// A frame has more bytes than are held.
    case frameTooLarge(byteCountLimit: Int)
    /// Pixel data does not have the size that rows, columns and frames say.
    case pixelDataSize
    /// A required attribute has a value that cannot be replaced.
    case notReplaceable(Tag)
    /// The pixel cleaner refused.
    case pixelCleaner(reason: String)
    /// What is taken out cannot be sealed for those who may bring it back.
    case escrow(EscrowError)
    /// Keys or memory failed.
    case failed(operation: String)
}

extension Quarantine: CustomStringConvertible {
    /// A word for statistics.
    public var kind: String {
        switch self {
        case .unreadable: "unreadable"
        case .damaged: "damaged"
        case .truncated: "truncated"
        case .noIdentity: "noIdentity"
        case .directory: "directory"
        case .transferSyntax: "transferSyntax"
        case .burnedInText: "burnedInText"
        case .pixelsNotCleaned: "pixelsNotCleaned"
        case .featuresNotCleaned: "featuresNotCleaned"
        case .voice: "voice"
        case .document: "document"
        case .stream: "stream"
        case .frameTooLarge: "frameTooLarge"
        case .pixelDataSize: "pixelDataSize"
        case .notReplaceable: "notReplaceable"
        case .pixelCleaner: "pixelCleaner"
        case .escrow: "escrow"
        case .failed: "failed"
        }
    }

    public var description: String {
        switch self {
        case .unreadable(let error): "\(error)"
        case .damaged:
            "the object contradicts the standard where only guessing would help; have it repaired or sent again"
        case .truncated: "the object ends too early or goes on after its end; send it again"
        case .noIdentity: "SOP class or instance UID are missing; have the object repaired"
        case .directory: "a DICOMDIR names patients and files; write a new one of the de-identified files"
        case .transferSyntax: "objects of this transfer syntax are not written; convert it first"
        case .burnedInText: "text is burned into the pixels; choose a profile that cleans pixel data"
        case .pixelsNotCleaned: "the pixels may hold text and nothing here cleans them; clean or check them first"
        case .featuresNotCleaned:
            "a face may be recognized and nothing here cleans it; clean or check the picture first"
        case .voice: "a voice identifies its speaker; allow it in the site rules with a reason, or leave it out"
        case .document: "no placeholder can be made of a document of this type; leave it out"
        case .stream(let error): "\(error)"
        case .frameTooLarge(let limit): "a coded frame has more than \(limit) bytes; decode it first"
        case .pixelDataSize: "pixel data does not have the size that its attributes say; have the object repaired"
        case .notReplaceable(let tag): "attribute \(tag) is required and cannot be replaced; leave the object out"
        case .pixelCleaner(let reason): reason
        case .escrow(let error): "\(error)"
        case .failed(let operation): "\(operation) failed; try again"
        }
    }
}
