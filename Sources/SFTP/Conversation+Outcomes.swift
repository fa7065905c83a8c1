extension Conversation {
    mutating func conclude(_ id: UInt32, _ purpose: Purpose, _ outcome: FileOutcome) -> [UInt8] {
        if case .drop(let packet) = purpose { return packet }
        if case .failed(let status, let text) = outcome { return failed(id, purpose, status, text) }
        switch (purpose, outcome) {
        case (.attributes, .attributes(let attributes)): return PacketWriter.attributes(id, attributes)
        case (.openDirectory(let handle), .done):
            handles[handle] = .directory
            return PacketWriter.handle(id, handle)
        case (.entries, .entries(let entries)):
            return entries.isEmpty ? PacketWriter.status(id, .endOfFile) : PacketWriter.names(id, entries)
        case (.openDownload(let handle), .attributes(let attributes)):
            handles[handle] = .download(attributes)
            return PacketWriter.handle(id, handle)
        case (.data, .data(let data)):
            return data.isEmpty ? PacketWriter.status(id, .endOfFile) : PacketWriter.data(id, data)
        case (.openUpload(let handle, let path), .done):
            handles[handle] = .upload(Upload(path: path))
            names.begin(path)
            return PacketWriter.handle(id, handle)
        case (.write, .done): return PacketWriter.status(id, .ok)
        case (.finish(let path, let byteCount), .done):
            names.store(path, byteCount: byteCount)
            return PacketWriter.status(id, .ok)
        default: return PacketWriter.status(id, .failure)
        }
    }

    private mutating func failed(
        _ id: UInt32, _ purpose: Purpose, _ status: SFTPStatus, _ text: String
    ) -> [UInt8] {
        switch purpose {
        case .write(let handle):
            if case .upload(var upload) = handles[handle] {
                upload.failure = (status, text)
                handles[handle] = .upload(upload)
            }
        case .finish(let path, _): names.forget(path)
        default: break
        }
        return PacketWriter.status(id, status, text)
    }
}
