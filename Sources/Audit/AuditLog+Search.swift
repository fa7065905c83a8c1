import Foundation
import Glibc
import Keys

extension AuditLog {
    /// Gives every record that matches to `each` until it returns false or the limit is reached.
    ///
    /// By name of an object or of who did it, segments that are not written any more are asked by their indexes and the
    /// one that is by what is known of it: a few milliseconds for ten million records. Anything else reads the segments of
    /// the time in question.
    ///
    /// - Parameter passingOverDamage: whether segments, or what follows the damage in one, are left out where the log is not what
    ///   was written.
    /// - Throws: `.damaged` where the log is not what was written, with the records before already given.
    public func search(
        _ query: AuditQuery, passingOverDamage: Bool = false, each: (AuditRecord) throws -> Bool
    ) throws {
        // What a caller saw happen is found.
        let numbers = try Segment.numbers(in: directory)
        let headers = try numbers.compactMap { number throws(AuditError) -> SegmentHeader? in
            do throws(AuditError) { return try header(of: number) } catch {
                guard passingOverDamage, case .damaged = error else { throw error }
                return nil
            }
        }
        let digest = try SHA256Digest()
        let cipher = try AuthenticatedCipher()
        let hash = try query.term.map { term throws(KeyError) in try SegmentIndex.hash(term, key) }
        var given = 0
        let limit = min(max(query.limit, 1), AuditQuery.limitRange.upperBound)
        let order = query.isNewestFirst ? Array(headers.indices.reversed()) : Array(headers.indices)
        for index in order where given < limit {
            let next = index + 1 < headers.count ? headers[index + 1] : nil
            guard isWorthReading(query, headers[index], next) else { continue }
            var found: [AuditRecord]
            do { found = try records(headers[index], next, query, hash, digest, cipher) } catch AuditError.damaged
                where passingOverDamage
            { continue }
            if query.isNewestFirst { found.reverse() }
            for record in found {
                given += 1
                guard try each(record), given < limit else { return }
            }
        }
    }

    /// Whether the time and the numbers of a segment, which the next one's beginning ends, meet the query.
    private func isWorthReading(_ query: AuditQuery, _ header: SegmentHeader, _ next: SegmentHeader?) -> Bool {
        // Clocks are set back now and then; an hour covers it.
        let slack: Int64 = 3_600_000
        if let until = query.until, header.time > until + slack { return false }
        guard let next else { return true }
        if let from = query.from, next.time < from - slack { return false }
        if let sequence = query.sequence, next.firstSequence <= sequence { return false }
        return true
    }

    private func records(
        _ header: SegmentHeader, _ next: SegmentHeader?, _ query: AuditQuery, _ hash: UInt64?, _ digest: SHA256Digest,
        _ cipher: AuthenticatedCipher
    ) throws -> [AuditRecord] {
        if let hash, next != nil, let found = try indexed(header, query, hash, cipher) { return found }
        // Before the segment is read: what is written meanwhile stands behind it.
        let end = try end(of: header.number)
        if let term = query.term, next == nil,
            let places = try currentNames.places(
                of: term, in: header.number, upTo: Int(clamping: end), directory: directory, key: key)
        {
            let path = directory + "/" + SegmentHeader.fileName(header.number)
            return try records(at: places, in: try OpenFile(path, flags: O_RDONLY), header, query, cipher)
        }
        let segment = try Segment(directory: directory, number: header.number)
        var found: [AuditRecord] = []
        let name = query.term.map { Array($0.name.utf8) }
        try segment.sweep(key: key, cipher, upTo: Int(clamping: end), holding: name) { _, records in
            found += records.filter(query.matches)
            return query.isNewestFirst || found.count < query.limit
        }
        if hash != nil, next != nil, query.isNewestFirst || found.count < query.limit {
            try? SegmentIndex.write(segment, directory: directory, key: key, digest, cipher)
        }
        return found
    }

    private func indexed(
        _ header: SegmentHeader, _ query: AuditQuery, _ hash: UInt64, _ cipher: AuthenticatedCipher
    ) throws -> [AuditRecord]? {
        let path = directory + "/" + SegmentHeader.fileName(header.number)
        let file = try OpenFile(path, flags: O_RDONLY)
        guard
            let index = SegmentIndex(
                directory: directory, number: header.number, segmentByteCount: try file.byteCount())
        else { return nil }
        return try records(at: try index.places(of: hash), in: file, header, query, cipher)
    }

    private func records(
        at places: [UInt32], in file: OpenFile, _ header: SegmentHeader, _ query: AuditQuery,
        _ cipher: AuthenticatedCipher
    ) throws -> [AuditRecord] {
        guard !places.isEmpty else { return [] }
        try cipher.load(SegmentHeader.key(of: header.salt, from: key), for: .opening)
        var found: [AuditRecord] = []
        for place in places {
            guard let records = try records(at: UInt64(place), in: file, cipher) else {
                throw AuditError.damaged(segment: header.number, byteOffset: UInt64(place))
            }
            found += records.filter(query.matches)
        }
        return found
    }

    /// The records of one frame; nil when they are not what was sealed.
    private func records(
        at place: UInt64, in file: OpenFile, _ cipher: AuthenticatedCipher
    ) throws -> [AuditRecord]? {
        let lead = UInt64(SHA256Digest.byteCount)
        var previous: [UInt8]
        if place == UInt64(SegmentHeader.byteCount) {
            previous = try Segment.firstHead(
                try file.read(count: SegmentHeader.byteCount, at: 0), try SHA256Digest())
        } else {
            guard place > lead else { return nil }
            previous = try file.read(count: Int(lead), at: place - lead)
        }
        let start = try file.read(count: AuditFrame.headByteCount, at: place)
        guard let head = start.withUnsafeBytes({ AuditFrame.Head($0) }) else { return nil }
        let frame = try file.read(count: head.frameByteCount, at: place)
        return frame.withUnsafeBytes { bytes in
            AuditFrame.open(bytes, head, after: previous, with: cipher).flatMap(AuditCoding.records)
        }
    }

    /// Makes the indexes that are missing of segments which are not written any more, and looks at what came to the one
    /// that is.
    public func makeIndexes() throws {
        let numbers = try Segment.numbers(in: directory)
        let digest = try SHA256Digest()
        let cipher = try AuthenticatedCipher()
        for number in numbers.dropLast() where access(SegmentIndex.path(directory, number), F_OK) != 0 {
            let segment = try Segment(directory: directory, number: number)
            try SegmentIndex.write(segment, directory: directory, key: key, digest, cipher)
        }
        guard let last = numbers.last else { return }
        try currentNames.update(last, upTo: Int(clamping: try end(of: last)), directory: directory, key: key)
    }
}
