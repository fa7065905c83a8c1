import Glibc
import Keys

/// Taking objects away: the header first, durably, then the room.
///
/// A hole under a header that still lives would look like damage, so a hole is made only once the void header is on
/// disk. Syncs go by a descriptor of their own: a lane's must not have its errors taken by others.
enum Removal {
    /// Overwrites the header by one that keeps only the extent.
    static func writeVoid(_ location: BlobLocation, files: PackFiles) throws(BlobError) -> ObjectHeader {
        let header = try files.header(location, allowsVoid: true)
        if header.state == .void { return header }
        let file = try files.file(location.pack)
        let page =
            header.voided.encoded + [UInt8](repeating: 0, count: ChunkFormat.pageByteCount - ObjectHeader.byteCount)
        try BlobError.wrapping { () throws(SystemFailure) in try file.write(page, at: location.offset) }
        return header.voided
    }

    /// Makes void headers of one pack or several durable and frees what lies behind them.
    static func syncAndFree(_ headers: [ObjectHeader], files: PackFiles) throws(BlobError) {
        for number in Set(headers.map(\.location.pack)) {
            let file = try files.file(number)
            try BlobError.wrapping { () throws(SystemFailure) in
                try file.syncData()
                for header in headers where header.location.pack == number {
                    let page = UInt64(ChunkFormat.pageByteCount)
                    guard header.extent > page else { continue }
                    do throws(SystemFailure) {
                        try file.punchHole(at: header.location.offset + page, byteCount: header.extent - page)
                    } catch  where error.errno == EOPNOTSUPP {
                        // The room is lost until its pack goes, the object is gone all the same.
                    }
                }
            }
        }
    }

    /// Frees queued objects; what fails is freed by the next `destroy` of the same location.
    static func release(_ locations: [BlobLocation], files: PackFiles) {
        let headers = locations.compactMap { try? files.header($0, allowsVoid: true) }.filter { $0.state == .void }
        try? syncAndFree(headers, files: files)
    }
}
