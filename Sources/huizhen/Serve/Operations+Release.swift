import Access
import Archive
import Catalog
import Control
import Release

extension Operations {
    /// Keeps a de-identified copy of a study beside it; it is this site's own.
    func release(_ study: String, _ rule: ReleaseRule, _ channel: Channel) throws {
        let holdings = try holdings([study], [], [])
        guard !holdings.isEmpty else { throw ArchiveError.notFound }
        let sender = Sender(
            peer: service.access.settings.aeTitle, institution: service.access.settings.institution, door: "release")
        let copy = try service.releases.release(by: rule).copy(holdings, as: sender) { done in
            try? channel.send(ControlReply.progress(done: done, total: holdings.count))
        }
        try channel.send(
            ControlReply.released(
                objects: copy.objects, quarantined: copy.quarantined, study: copy.studyInstanceUID))
    }
}
