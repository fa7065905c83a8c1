import Access
import Archive
import DICOM
import Foundation
import HTTP
import Hummingbird
import NIOCore

/// Studies that are arriving, at addresses of their own: no service of the standard's knows of them before they are there.
extension Door {
    /// Beside, not under, the RESTful services.
    public static let arrivingPath = "/arriving"

    /// What is answered of a transfer.
    private struct Progress: Encodable {
        var site: String
        /// Instances that are there.
        var there: Int
        /// Objects that will have come; nil for who sees only a part of them.
        var announced: Int?
    }

    func addArriving(_ router: RouterGroup<WebContext>) {
        let transfer = Self.arrivingPath + "/:transfer"
        router.get(RouterPath(transfer)) { [self] request, context in
            let study = try arriving(context, .read)
            return try await pool.run { [arrivals] in
                let (seen, isAll) = try study.objects()
                guard let announced = try arrivals.announcement(study.name) else { throw ArchiveError.notFound }
                // Nobody is told of objects but of those that are asked for next, which is what is recorded.
                let progress = Progress(
                    site: announced.site, there: seen.count,
                    announced: isAll && announced.objects > 0 ? announced.objects : nil)
                return Response(
                    status: .ok, headers: [.contentType: "application/json", .cacheControl: "private, no-store"],
                    body: .init(byteBuffer: ByteBuffer(bytes: try JSONEncoder().encode(progress))))
            }
        }
        router.get(RouterPath(transfer + "/metadata")) { [self] request, context in
            let study = try arriving(context, .read)
            let form = try ModelForm(accepting: try Self.accepted(request))
            let from = try Self.from(request)
            let base = Self.arrivingBase(context, study)
            return try await pool.run { [self] in
                let holdings = Array(try study.objects().seen.dropFirst(from))
                try study.note(holdings)
                return metadata(of: holdings, base: base, form)
            }
        }
        let instance = transfer + "/instances/:instance"
        router.get(RouterPath(instance + "/metadata")) { [self] request, context in
            let study = try arriving(context, .read)
            let form = try ModelForm(accepting: try Self.accepted(request))
            let uid = try ResourcePath(context.parameters).instance
            let base = Self.arrivingBase(context, study)
            return try await pool.run { [self] in
                metadata(of: [try study.instance(uid).holding], base: base, form)
            }
        }
        router.get(RouterPath(instance + "/frames/:frames")) { [self] request, context in
            let study = try arriving(context, .retrieve)
            let ranges = try Self.accepted(request)
            let uid = try ResourcePath(context.parameters).instance
            let list = Self.frameList(context) ?? ""
            let answer = FrameAnswer(archive: archive, pool: pool)
            return try await pool.run {
                try answer.response(try study.instance(uid), frames: list, accepting: ranges)
            }
        }
        router.get(RouterPath(instance + "/bulkdata/**")) { [self] request, context in
            let study = try arriving(context, .retrieve)
            let ranges = try Self.accepted(request)
            let uid = try ResourcePath(context.parameters).instance
            let path = Self.bulkDataPath(context)
            let answer = BulkDataAnswer(archive: archive, pool: pool)
            return try await pool.run {
                try answer.response(try study.instance(uid), path: path, accepting: ranges)
            }
        }
        for path in [instance, instance + "/frames/:frames"] {
            for (name, isThumbnail) in [("rendered", false), ("thumbnail", true)] {
                router.get(RouterPath("\(path)/\(name)")) { [self] request, context in
                    let study = try arriving(context, .retrieve)
                    let ranges = try Self.accepted(request)
                    let uid = try ResourcePath(context.parameters).instance
                    let base = Self.arrivingBase(context, study)
                    let (answer, choices) = try pictures(request, accepting: ranges, base: base, isThumbnail)
                    let list = Self.frameList(context)
                    return try await pool.run {
                        let source = PictureAnswer.Source(try study.instance(uid))
                        return try answer.response(source, frames: list, choices: choices)
                    }
                }
            }
        }
    }

    private func arriving(_ context: WebContext, _ verb: Verb) throws -> ArrivingStudy {
        try ArrivingStudy(
            context.parameters.get("transfer") ?? "", archive: archive, caller: try caller(context), verb)
    }

    private static func arrivingBase(_ context: WebContext, _ study: ArrivingStudy) -> String {
        "\(context.origin.scheme)://\(context.origin.authority)\(arrivingPath)/\(study.name)"
    }

    /// How many of the first are left out.
    private static func from(_ request: Request) throws -> Int {
        guard let text = try QueryText(request.uri.query)["from"] else { return 0 }
        guard let from = Int(text), from >= 0 else { throw Problem(.badRequest, "The parameter from is a number.") }
        return from
    }
}
