import DICOM

/// Where the files of a file-set go. Used by one thread.
public protocol MediaOutput: AnyObject {
    /// Begins a file; the one before was ended or discarded.
    func begin(_ fileID: FileID) throws(MediaError)
    func write(_ bytes: UnsafeRawBufferPointer) throws(MediaError)
    /// The file is whole.
    func end() throws(MediaError)
    /// The file is not to be there.
    func discard()
    /// Everything is whole: gives the file-set its name. Until then nothing lies under it.
    func commit() throws(MediaError)
    /// Removes everything.
    func abandon()
    /// A file without a name, on the same disk, that is gone when it is closed.
    func spool() throws(MediaError) -> SpoolFile
}

extension MediaOutput {
    func write(_ bytes: [UInt8]) throws(MediaError) {
        try bytes.withUnsafeBufferPointer { buffer throws(MediaError) in
            try write(UnsafeRawBufferPointer(buffer))
        }
    }
}
