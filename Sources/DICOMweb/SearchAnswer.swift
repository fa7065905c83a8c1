import Archive
import Catalog
import DICOM
import HTTP
import HTTPTypes
import Hummingbird
import NIOCore
import Release

/// Answers a search with a JSON array of datasets. PS3.18 §10.6.3, Annex F.
struct SearchAnswer: Sendable {
    /// Bytes of one answer.
    static let byteCountLimit = 64 << 20

    let request: SearchRequest
    let visibility: Visibility
    /// What is shown masked besides.
    var masked: ReleasedStudies?
    /// Address of the service, for Retrieve URL (0008,1190).
    let base: String
    /// The most matches of one answer, whatever the request says.
    let limit: Int
    var form = ModelForm.json
    /// Whether the client is still there; from any thread.
    var isWanted: @Sendable () -> Bool = { true }

    /// Matches that are counted.
    static let countLimit = 1_000_000

    /// Searches and writes; blocks.
    func response(from archive: Archive) throws -> Response {
        let limit = min(request.limit ?? limit, limit)
        var bytes: [UInt8] = []
        var body = ModelBody(form)
        var count = 0
        var isCut = false
        let wanted = SearchAttributes.wanted(by: request)
        let isUnfinished = try ReachedSearch(archive, masked: masked).find(
            Query(
                level: request.level, keys: request.keys, visibility: visibility, limit: limit + 1,
                offset: request.offset, options: request.options, includesPrivate: request.includesAll),
            while: isWanted
        ) { match in
            guard count < limit, bytes.count < Self.byteCountLimit else {
                isCut = true
                return false
            }
            count += 1
            body.append(shown(match.attributes, wanted), to: &bytes)
            return true
        }
        bytes += body.end.utf8
        var headers: HTTPFields = [.contentType: body.contentType, .cacheControl: "no-store"]
        if request.wantsTotal { headers[.totalCount] = try total(in: archive) }
        // Whoever's limit cut it. PS3.18 §8.3.4.4 and §10.6.1.2.
        if isUnfinished || isCut {
            headers.append(
                HTTPField(
                    name: .warning, value: "299 huizhen \"There are additional results that can be requested\""))
        }
        if request.ignoresKeys {
            headers.append(
                HTTPField(
                    name: .warning,
                    value: "299 huizhen \"A key is not one that is matched here, and was ignored\""))
        }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// How many matches there are, with a plus sign where there are more than are counted.
    private func total(in archive: Archive) throws -> String {
        let (count, isUnfinished) = try ReachedSearch(archive, masked: masked).count(
            Query(level: request.level, keys: request.keys, visibility: visibility, options: request.options),
            upTo: Self.countLimit + 1, while: isWanted)
        if isUnfinished { return "\(count)+" }
        return count > Self.countLimit ? "\(Self.countLimit)+" : String(count)
    }

    private func shown(_ attributes: Dataset, _ wanted: Set<Tag>?) -> Dataset {
        var path = ResourcePath(study: attributes.string(.studyInstanceUID))
        if request.level >= .series { path.series = attributes.string(.seriesInstanceUID) }
        if request.level == .instance { path.instance = attributes.string(.sopInstanceUID) }
        var result = attributes
        if let wanted { result.removeAll { !wanted.contains($0.tag) } }
        result.set(.retrieveURL, .UR, string: base + path.text)
        if request.level != .series { result.set(.instanceAvailability, .CS, string: "ONLINE") }
        return result
    }
}
