import Access
import Archive
import Audit
import Catalog
import Keys

/// What the door asks of transfers, which it does not know.
public struct ArrivalSource: Sendable {
    /// What is announced of a transfer that comes in and has not ended.
    public struct Announcement: Sendable {
        /// The site it comes from.
        public var site: String
        /// Objects as far as they were announced.
        public var objects: Int

        public init(site: String, objects: Int) {
            self.site = site
            self.objects = objects
        }
    }

    /// By the transfer's name; nil where there is none. Blocks.
    public var announcement: @Sendable (_ transfer: String) throws -> Announcement?

    public init(announcement: @escaping @Sendable (_ transfer: String) throws -> Announcement?) {
        self.announcement = announcement
    }

    /// Of a service without transfers.
    public static let none = ArrivalSource { _ in nil }
}

/// What a transfer has brought so far, as far as who asks would be shown it in full once it is there.
///
/// Of everything else the answer is that it is not there: whether it never was, has been shown, or is another's.
struct ArrivingStudy: Sendable {
    /// 32 hexadecimal digits.
    let name: String
    private let transfer: [UInt8]
    private let archive: Archive
    private let caller: Caller
    private let verb: Verb
    private let reach: Reach

    init(_ name: String, archive: Archive, caller: Caller, _ verb: Verb) throws {
        guard name.utf8.count == 32, let transfer = [UInt8](hexadecimal: name) else { throw ArchiveError.notFound }
        self.name = name
        self.transfer = transfer
        self.archive = archive
        self.caller = caller
        self.verb = verb
        do throws(Denial) { reach = try caller.reach(verb) } catch {
            // That is on the record now.
            if case .refused = error { throw ArchiveError.notFound }
            throw error
        }
    }

    /// What is there and seen, in the order in which it came, and whether that is all that is there. Blocks.
    ///
    /// - Throws: `ArchiveError.notFound` where nothing is.
    func objects() throws -> (seen: [Holding], isAll: Bool) {
        let there = try archive.arriving(transfer: transfer)
        let seen = there.filter { archive.studyInstanceUID(of: $0, within: reach) != nil }
        guard !seen.isEmpty else { throw try absence(there.first) }
        return (seen.map(\.holding), seen.count == there.count)
    }

    /// One instance; on the record when it returns. Blocks.
    func instance(_ uid: String?) throws -> ShownInstance {
        guard let uid, let found = try archive.arriving(transfer: transfer, sopInstanceUID: uid) else {
            throw ArchiveError.notFound
        }
        guard archive.studyInstanceUID(of: found, within: reach) != nil else { throw try absence(found) }
        try note([found.holding])
        return ShownInstance(
            content: try InstanceContent(try archive.open(found)), holding: found.holding,
            path: ResourcePath(instance: uid), isMade: false)
    }

    /// Writes down that the caller gets these.
    func note(_ holdings: [Holding]) throws {
        guard !holdings.isEmpty else { return }
        try caller.note(
            .accessed, AuditObject.objects(of: holdings), instanceCount: holdings.count,
            reason: "arriving by transfer \(name)")
    }

    /// The same whether it is not there or out of reach; the record knows who asked for what is there.
    private func absence(_ object: ArrivingObject?) throws -> any Error {
        if let object {
            _ = try caller.refusal(
                verb, "nothing of what is arriving is reached",
                [AuditObject(.study, object.record.studyInstanceUID)])
        }
        return ArchiveError.notFound
    }
}
