import Keys

/// What makes an object of bytes: append, finishContent, write, sync; or abandon at any point before sync. Used by one thread.
public protocol ObjectWriter: AnyObject {
    /// Takes the next bytes of content.
    func append(_ bytes: UnsafeRawBufferPointer) throws(BlobError)
    /// Ends the content and returns its digest.
    func finishContent() throws(BlobError) -> ContentDigest
    /// Gives the finished content for reading, before it is decided whether it becomes an object.
    func undecidedContent() throws(BlobError) -> UndecidedContent
    /// Writes everything else, the header included; the object is not durable yet.
    func write(
        metadata: [UInt8], record: [UInt8], sequence: UInt64, studyKey: KeyID
    ) throws(BlobError) -> BlobLocation
    /// Returns once the object survives a power cut.
    func sync() throws(BlobError)
    /// There is to be no object.
    func abandon()
}
