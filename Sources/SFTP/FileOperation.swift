/// What has to be done outside of the conversation before it can answer. Slots are numbers that the conversation gives to
/// what is open, each once.
public enum FileOperation {
    /// Looks at what is shown; `.attributes`.
    case look(ShownPlace)
    /// Opens a directory; `.done`.
    case list(ShownPlace, slot: UInt64)
    /// The next entries of an open directory, `Conversation.entryLimit` at most, none at its end; `.entries`.
    case nextEntries(slot: UInt64)
    /// Opens a file for reading; `.attributes`, with its size.
    case open(ShownPlace, slot: UInt64)
    /// Reads an open file; `.data`, none at its end.
    case read(slot: UInt64, offset: UInt64, byteCount: Int)
    /// Begins to take a file; `.done`.
    case begin(slot: UInt64)
    /// The next bytes of a file that is taken; `.done`.
    case append(slot: UInt64, [ArraySlice<UInt8>])
    /// The file is whole: to be kept, and durable on return; `.done`. The slot is over, whatever comes of it.
    case finish(slot: UInt64)
    /// The slot is over, and what was taken by it is to be nowhere; `.done`.
    case drop(slot: UInt64)
}

/// What came of an operation.
public enum FileOutcome {
    case done
    case attributes(FileAttributes)
    case entries([FileEntry])
    case data([UInt8])
    /// With words for the person at the other end.
    case failed(SFTPStatus, String)
}
