import Access
import Archive
import Catalog
import HTTP
import Hummingbird

/// Retrieval of objects, metadata, frames and bulk data. PS3.18 §10.4.
extension Door {
    func addRetrievals(_ group: RouterGroup<WebContext>) {
        for path in [WebPath.study, WebPath.series, WebPath.instance] {
            group.get(RouterPath(path)) { [self] request, context in
                let (retrieval, ranges) = try retrieval(request, context)
                return try await pool.run {
                    try retrieval.response(accepting: ranges, releases: self.releases)
                }
            }
            group.get(RouterPath(path + "/metadata")) { [self] request, context in
                return try await metadata(request, context)
            }
        }
        group.get(RouterPath(WebPath.frames)) { [self] request, context in
            let (retrieval, ranges) = try retrieval(request, context)
            let list = Self.frameList(context)
            let answer = FrameAnswer(archive: archive, pool: pool)
            return try await pool.run {
                try answer.response(try retrieval.instance(self.releases), frames: list ?? "", accepting: ranges)
            }
        }
        // Metadata names bulk data without the series, which is not known where only the instance is.
        for path in [WebPath.instance, WebPath.instanceOfStudy] {
            group.get(RouterPath(path + "/bulkdata/**")) { [self] request, context in
                let (retrieval, ranges) = try retrieval(request, context)
                let path = Self.bulkDataPath(context)
                let answer = BulkDataAnswer(archive: archive, pool: pool)
                return try await pool.run {
                    try answer.response(try retrieval.instance(self.releases), path: path, accepting: ranges)
                }
            }
        }
    }

    func retrieval(
        _ request: Request, _ context: WebContext, _ verb: Verb = .retrieve
    ) throws -> (Retrieval, [MediaRange]) {
        let retrieval = try retrieval(
            of: try ResourcePath(context.parameters), context, verb,
            asking: try AskedProfile.read(request.uri.query))
        return (retrieval, try Self.accepted(request))
    }

    /// - Parameter profile: by which the request asks for de-identification.
    func retrieval(
        of path: ResourcePath, _ context: WebContext, _ verb: Verb = .retrieve, asking profile: String?
    ) throws -> Retrieval {
        try Retrieval(
            archive: archive, pool: pool, path: path, caller: try caller(context), verb,
            limit: settings.retrieveLimit, asking: profile, of: settings.deidentifyProfiles)
    }

    private func metadata(_ request: Request, _ context: WebContext) async throws -> Response {
        let (retrieval, ranges) = try retrieval(request, context, .read)
        let form = try ModelForm(accepting: ranges)
        let base = Self.base(context)
        return try await pool.run { [self] in
            if let released = try retrieval.released(releases) {
                return try retrieval.metadata(released, base: base, form)
            }
            let study = ResourcePath(study: retrieval.path.study)
            return metadata(of: try retrieval.holdings(), base: base + study.text, form)
        }
    }

    /// - Parameter base: what addresses of bulk data begin with.
    func metadata(of holdings: [Holding], base: String, _ form: ModelForm) -> Response {
        let tag = archive.tag(holdings, form: form == .json ? "" : "xml")
        let body = ModelBody(form)
        // Nothing is read before the body is sent, so that a 304 needs no check of its own.
        let source: any PieceSource =
            form == .json
            ? MetadataArray(archive: archive, holdings: holdings, base: base)
            : MetadataParts(archive: archive, holdings: holdings, base: base, body: body)
        return Response(
            status: .ok,
            headers: [.contentType: body.contentType, .eTag: tag, .cacheControl: "private, no-cache"],
            body: PulledBody(source, pool: pool).body())
    }
}
