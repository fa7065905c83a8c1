import Access
import Archive
import Audit
import Catalog
import Foundation
import Queue
import Release
import Synchronization

/// What a job of the transfer queue carries.
struct TransferWork: Codable, Sendable {
    static let pushKind = "push"
    static let pullKind = "pull"

    var id: String
    var site: String
    /// Study Instance UID.
    var study: String
    /// True where it goes by a grant: what the site may retrieve goes, while it may.
    var isGranted: Bool?
}

/// What runs of transfers share.
struct TransferRoom: Sendable {
    let archive: Archive
    let access: Access
    let releases: Releases
    let table: TransferTable
    let arrivals: Arrivals
    let identity: SiteIdentity
    let coders: CoderPool
    let settings: TransferSettings
    let limits: RateLimits

    /// A peer that takes transfers.
    ///
    /// - Throws: `.refused` where there is none by that name.
    func site(_ name: String) throws(TransferError) -> Peer {
        guard let peer = access.peer(aeTitle: name), peer.site != nil else {
            throw .refused("there is no site \(name): see `huizhen site list`")
        }
        return peer
    }

    /// A site as it is now, while a transfer with it runs: another rate is taken, and nothing else.
    ///
    /// - Throws: `.refused` where it was removed or changed since.
    func unchanged(_ peer: Peer) throws(TransferError) -> Peer {
        guard let now = access.peer(aeTitle: peer.aeTitle) else {
            throw .refused("the site was removed while the transfer ran")
        }
        var same = now
        same.site?.rate = peer.site?.rate
        guard same == peer else { throw .refused("the site was changed while the transfer ran") }
        return now
    }

    /// The same, where something goes to it.
    ///
    /// - Parameter institution: of who asked for it; nil for us.
    /// - Throws: `.refused` also where it is no approved destination any more.
    func approved(_ peer: Peer, for institution: String?) throws(TransferError) -> Peer {
        let now = try unchanged(peer)
        if let flaw = access.flaw(of: now, for: institution) { throw .refused(flaw) }
        return now
    }

    /// Says in the change feed that a site signed for a study; said before it is written down, so that no crash loses it.
    func noteSent(_ study: String) throws(TransferError) {
        do throws(CatalogError) { try archive.catalog.noteSent(study: study, at: TransferTable.now()) } catch {
            throw .archive(.catalog(error))
        }
    }

    /// What of the archive a push takes from.
    ///
    /// - Throws: `.refused` where the grant has ended that it went by.
    func reach(of work: TransferWork) throws(TransferError) -> Reach? {
        guard work.isGranted == true else { return nil }
        guard let permit = access.permit(ofSite: work.site), let reach = access.decision(.retrieve, by: permit).reach
        else { throw .refused("nothing is granted to the site any more") }
        return reach
    }

    /// How its objects go to a site; nil: as they are.
    func release(for peer: Peer) throws(TransferError) -> Release? {
        guard let rule = peer.release else { return nil }
        do throws(ReleaseError) { return try releases.release(by: rule) } catch { throw .ours("\(error)") }
    }

    /// A study's objects in the order in which they go.
    ///
    /// - Throws: `.archive(.notFound)` where nothing of it is seen.
    func outgoing(_ study: String, to peer: Peer, seen: Visibility) throws(TransferError) -> OutgoingStudy {
        let limit = ArrivingTransfer.objectLimit
        let series: [[Holding]]
        do throws(ArchiveError) {
            series = try archive.series(ofStudy: study, visibility: seen, limit: limit + 1)
        } catch { throw .archive(error) }
        let count = series.reduce(0) { $0 + $1.count }
        guard count > 0 else { throw .archive(.notFound) }
        guard count <= limit else { throw .refused("a transfer has at most \(limit) objects") }
        return OutgoingStudy(SendingOrder.ordered(series), archive: archive, release: try release(for: peer))
    }
}
