import Archive
import HTTP
import Hummingbird

extension Door {
    /// Removal of studies, series and instances: hidden at once, destroyed after the grace period.
    ///
    /// Not of PS3.18; the methods and statuses that other archives have agreed on.
    func addRemovals(_ group: RouterGroup<WebContext>) {
        for path in [WebPath.study, WebPath.series, WebPath.instance] {
            group.delete(RouterPath(path)) { [self] _, context in
                guard let permit = context.permit, permit.isOperator else {
                    throw Problem(.forbidden, "This caller may not do that.")
                }
                let path = try ResourcePath(context.parameters)
                guard let study = path.study else { throw ArchiveError.notFound }
                return try await pool.run { [archive] in
                    _ = try archive.remove(
                        studyInstanceUID: study, seriesInstanceUID: path.series, sopInstanceUID: path.instance,
                        by: permit.user ?? "", reason: "DELETE over the web")
                    return Response(status: .noContent)
                }
            }
        }
    }
}
