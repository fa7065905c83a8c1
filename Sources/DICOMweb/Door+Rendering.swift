import DICOM
import HTTP
import Hummingbird

/// Rendered resources and thumbnails. PS3.18 §10.4.1.1.3 and §10.4.1.1.4.
extension Door {
    func addRendering(_ group: RouterGroup<WebContext>) {
        for (name, isThumbnail) in [("rendered", false), ("thumbnail", true)] {
            for path in [WebPath.study, WebPath.series] {
                group.get(RouterPath("\(path)/\(name)")) { [self] request, context in
                    let (answer, retrieval, taken) = try pictures(request, context, isThumbnail)
                    let choices = try PictureMediaType.withoutVideo(taken)
                    return try await pool.run { [releases] in
                        if let released = try retrieval.released(releases) {
                            return try retrieval.pictures(of: released, answer, choices)
                        }
                        let images = RepresentativeImage(retrieval)
                        if let choice = choices.first, choice.isMultipart {
                            let all = try images.all()
                            try retrieval.note(all.map(\.holding))
                            return try answer.several(all, frames: nil, choice.type)
                        }
                        let candidates = try images.candidates()
                        try retrieval.note(candidates.prefix(1).map(\.holding))
                        return try answer.response(firstOf: candidates, choices: choices)
                    }
                }
            }
            for path in [WebPath.instance, WebPath.frames] {
                group.get(RouterPath("\(path)/\(name)")) { [self] request, context in
                    let (answer, retrieval, choices) = try pictures(request, context, isThumbnail)
                    let list = Self.frameList(context)
                    return try await pool.run { [releases] in
                        let source = PictureAnswer.Source(try retrieval.instance(releases))
                        return try answer.response(source, frames: list, choices: choices)
                    }
                }
            }
        }
    }

    private func pictures(
        _ request: Request, _ context: WebContext, _ isThumbnail: Bool
    ) throws -> (PictureAnswer, Retrieval, [PictureMediaType.Choice]) {
        let (retrieval, ranges) = try retrieval(request, context)
        let (answer, choices) = try pictures(request, accepting: ranges, base: Self.base(context), isThumbnail)
        return (answer, retrieval, choices)
    }

    /// - Parameter base: what addresses of single pictures begin with.
    func pictures(
        _ request: Request, accepting ranges: [MediaRange], base: String, _ isThumbnail: Bool
    ) throws -> (PictureAnswer, [PictureMediaType.Choice]) {
        let parameters = try PictureParameters(request.uri.query, isThumbnail: isThumbnail)
        let names = parameters.accept != nil || request.headers[.accept]?.contains("/") == true
        let accepted = parameters.accept ?? ranges
        let choices = PictureMediaType.choices(accepted)
        // Who names media types and gives each the quality 0 takes none.
        guard !choices.isEmpty, !names || !accepted.isEmpty else {
            throw PictureMediaType.refusal
        }
        let answer = PictureAnswer(
            archive: archive, pool: pool, order: parameters.order, quality: parameters.quality,
            base: base, query: request.uri.query, held: request.headers[.ifNoneMatch])
        return (answer, choices)
    }
}
