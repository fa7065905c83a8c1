import Archive
import Audit
import HTTP
import Hummingbird

extension Door {
    /// Removal of studies, series and instances: hidden at once, destroyed after the grace period.
    ///
    /// Not of PS3.18; the methods and statuses that other archives have agreed on.
    func addRemovals(_ group: RouterGroup<WebContext>) {
        for path in [WebPath.study, WebPath.series, WebPath.instance] {
            group.delete(RouterPath(path)) { [self] _, context in
                let caller = try caller(context)
                // None but the local operator, who may do everything.
                _ = try caller.visibility(.remove)
                let path = try ResourcePath(context.parameters)
                guard let study = path.study else { throw ArchiveError.notFound }
                return try await pool.run { [archive] in
                    let reason = "DELETE over the web"
                    var objects = [AuditObject(.study, study)]
                    if let series = path.series { objects.append(AuditObject(.series, series)) }
                    if let instance = path.instance { objects.append(AuditObject(.instance, instance)) }
                    try caller.note(.removed, objects, reason: reason)
                    _ = try archive.remove(
                        studyInstanceUID: study, seriesInstanceUID: path.series, sopInstanceUID: path.instance,
                        by: caller.permit.user ?? "", reason: reason)
                    return Response(status: .noContent)
                }
            }
        }
    }
}
