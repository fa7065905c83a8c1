/// One fragment of a DIMSE message. PS3.8 §9.3.5.1 and Annex E.
///
/// `bytes` point into the association's buffer, valid until its next read.
@safe public struct PDV {
    public let contextID: UInt8
    /// Part of a command set, else of a data set.
    public let isCommand: Bool
    public let isLast: Bool
    public let bytes: UnsafeRawBufferPointer

    public init(contextID: UInt8, isCommand: Bool, isLast: Bool, bytes: UnsafeRawBufferPointer) {
        self.contextID = contextID
        self.isCommand = isCommand
        self.isLast = isLast
        unsafe self.bytes = bytes
    }
}
