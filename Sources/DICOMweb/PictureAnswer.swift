import Archive
import Catalog
import DICOM
import HTTP
import Hummingbird
import NIOCore
import Release

/// Images as pictures for a screen. PS3.18 §10.4.1.1.3.
struct PictureAnswer: Sendable {
    static let noPicture =
        "This cannot be shown as a picture: it is no image, or one of a kind that is not decoded here."

    static let noFont =
        "No font is installed, so that nothing can be written into pictures: ask without annotation, or install "
        + "fonts-wqy-microhei where the service runs."

    let archive: Archive
    let pool: BlockingPool
    let order: PictureOrder
    let quality: Int
    /// Address of the service.
    let base: String
    /// The request's query, to be repeated in the addresses of pictures.
    let query: String?
    /// The field If-None-Match.
    let held: String?

    /// An instance and where it is to be had.
    struct Source: Sendable {
        var holding: Holding
        var path: ResourcePath
        /// Whether it is made for who asks, so that nobody is to keep an answer.
        var isMade: Bool
        var open: @Sendable () throws -> InstanceContent

        init(
            holding: Holding, path: ResourcePath, isMade: Bool, open: @escaping @Sendable () throws -> InstanceContent
        ) {
            self.holding = holding
            self.path = path
            self.isMade = isMade
            self.open = open
        }

        /// A stored one.
        init(holding: Holding, path: ResourcePath, in archive: Archive) {
            self.init(holding: holding, path: path, isMade: false) { try InstanceContent(try archive.open(holding)) }
        }

        init(_ instance: ShownInstance) {
            self.init(holding: instance.holding, path: instance.path, isMade: instance.isMade) { instance.content }
        }
    }

    /// One picture, or those of a list of frames. Blocks.
    ///
    /// - Parameter list: `1,3-5`; nil for the frame that stands for all, or all as parts.
    /// - Throws: 406 where nobody can show it, or not so; 404 for frames that are not there.
    func response(_ source: Source, frames list: String?, choices: [PictureMediaType.Choice]) throws -> Response {
        guard let choice = choices.first else { throw PictureMediaType.refusal }
        let isList = list?.contains { $0 == "," || $0 == "-" } ?? false
        if let choice = choices.first(where: { $0.isMultipart || ($0.isFree && isList) }), choice == choices.first {
            return try several([source], frames: list, choice.type)
        }
        if let known = notModified(source, list, choice.type) { return known }
        let renderer = try renderer(source)
        let numbers = try list.map { try FrameAnswer.numbers($0, frameCount: renderer.frameCount) }
        if choice.type == .mp4 {
            let indices = numbers?.map { $0 - 1 } ?? Array(0..<renderer.frameCount)
            let format = try renderer.videoFormat(indices, order)
            let movie = MP4Movie(format, frameCount: indices.count)
            return try moving(source, frames: list, .mp4, .video(movie, format))
        }
        if choice.type == .gif, (numbers?.count ?? renderer.frameCount) > 1 {
            let animation = GIFAnimation(frameDuration: renderer.frameDuration)
            return try moving(source, frames: list, .gif, .animation(animation))
        }
        if let numbers, numbers.count > 1 {
            guard let several = choices.first(where: { $0.isMultipart || $0.isFree }) else {
                throw Problem(.notAcceptable, "Several frames go only as multipart/related.")
            }
            return try self.several([source], frames: list, several.type)
        }
        return try one(source, renderer, (numbers?.first).map { $0 - 1 }, list, choice.type)
    }

    /// The first of the sources that can be shown. Blocks.
    func response(firstOf sources: [Source], choices: [PictureMediaType.Choice]) throws -> Response {
        guard let choice = choices.first else { throw PictureMediaType.refusal }
        for source in sources {
            if let known = notModified(source, nil, choice.type) { return known }
            do {
                return try one(source, try renderer(source), nil, nil, choice.type)
            } catch let error as RenderingError {
                if error == .regionOutside || error == .noProfile { throw error }
            } catch let problem as Problem where problem.status == .notAcceptable {
                // The next one may be of another kind.
            }
        }
        throw Problem(.notAcceptable, Self.noPicture)
    }

    /// Every frame of every source as a part. Blocks until the first is made.
    func several(_ sources: [Source], frames list: String?, _ type: PictureMediaType) throws -> Response {
        let boundary = Boundary()
        let parts = PictureParts(
            self, sources: sources, list: list, order: ordered(type), wrapping: .multipart(boundary, type: type.essence)
        )
        try parts.start()
        return Response(
            status: .ok,
            headers: [
                .contentType: boundary.contentType(of: type.essence),
                .cacheControl: sources.contains(where: \.isMade) ? "private, no-store" : "private, no-cache",
                .vary: "Accept",
            ], body: PulledBody(parts, pool: pool).body())
    }

    /// Frames of one instance as a picture that moves, or a video. Blocks until the first is made.
    private func moving(
        _ source: Source, frames list: String?, _ type: PictureMediaType, _ wrapping: PictureParts.Wrapping
    ) throws -> Response {
        let parts = PictureParts(self, sources: [source], list: list, order: ordered(type), wrapping: wrapping)
        try parts.start()
        return Response(
            status: .ok, headers: headers(source, list, type), body: PulledBody(parts, pool: pool).body())
    }

    private func one(
        _ source: Source, _ renderer: FrameRenderer, _ index: Int?, _ list: String?, _ type: PictureMediaType
    ) throws -> Response {
        let index = index ?? renderer.representativeFrame
        let picture = try renderer.picture(index, ordered(type))
        var headers = headers(source, list, type)
        if source.path.series != nil { headers[.contentLocation] = address(source, frame: index) }
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: picture)))
    }

    func renderer(_ source: Source) throws -> FrameRenderer {
        guard order.annotation.isEmpty || archive.writesText else { throw Problem(.notImplemented, Self.noFont) }
        do {
            return try FrameRenderer(try source.open(), archive: archive)
        } catch ArchiveError.notFound {
            throw Problem(.notAcceptable, Self.noPicture)
        } catch ReleaseError.quarantined { throw Problem(.notAcceptable, Self.noPicture) }
    }

    /// Where one frame's picture is by itself.
    func address(_ source: Source, frame index: Int) -> String {
        base + source.path.text + "/frames/\(index + 1)/rendered" + (query.map { "?" + $0 } ?? "")
    }

    private func ordered(_ type: PictureMediaType) -> PictureOrder {
        var order = order
        order.coding = type.coding(quality: quality)
        return order
    }

    private func notModified(_ source: Source, _ list: String?, _ type: PictureMediaType) -> Response? {
        let headers = headers(source, list, type)
        guard let tag = headers[.eTag], EntityTagField.field(held, names: tag) else { return nil }
        return Response(status: .notModified, headers: headers)
    }

    private func headers(_ source: Source, _ list: String?, _ type: PictureMediaType) -> HTTPFields {
        // Another number when the way from pixels to pictures changes.
        let form = "1 \(type.essence) \(list ?? "") \(query ?? "")"
        var headers = ShownInstance.fields(
            type.essence, tag: source.isMade ? nil : archive.tag([source.holding], form: form))
        headers[.vary] = "Accept"
        return headers
    }
}

/// Pictures as parts of a multipart body, as the images of one that moves, or as groups of a video's; what cannot be shown
/// is left out.
private final class PictureParts: PieceSource {
    private let answer: PictureAnswer
    private let sources: [PictureAnswer.Source]
    private let list: String?
    private let order: PictureOrder
    private var wrapping: Wrapping
    private var run: FrameRun?
    /// Addresses of the pictures that are begun.
    private var addresses: [String] = []
    private var first: [UInt8]?
    private var isHeadOut = false
    private var isEnded = false
    private var failure: (any Error)?

    // Where the next picture comes from.
    private var sourceIndex = 0
    private var renderer: FrameRenderer?
    private var frames: ArraySlice<Int> = []
    /// Groups of a video that are begun.
    private var groupCount = 0

    enum Wrapping {
        case multipart(Boundary, type: String)
        case animation(GIFAnimation)
        case video(MP4Movie, VideoFormat)
    }

    init(
        _ answer: PictureAnswer, sources: [PictureAnswer.Source], list: String?, order: PictureOrder,
        wrapping: Wrapping
    ) {
        self.answer = answer
        self.sources = sources
        self.list = list
        self.order = order
        self.wrapping = wrapping
    }

    /// Makes the first picture, so that what cannot be had is known before the answer begins.
    func start() throws {
        let lead = if case .video = wrapping { answer.archive.groupLead } else { answer.archive.pictureLead }
        run = FrameRun(lead: lead) { [unowned self] _ in try begin() }
        first = try take()
        guard first != nil else { throw failure ?? Problem(.notAcceptable, PictureAnswer.noPicture) }
    }

    func next(upTo byteCount: Int) throws -> ByteBuffer? {
        guard !isEnded else { return nil }
        var piece = ByteBuffer()
        while piece.readableBytes < byteCount {
            guard let picture = try first ?? take() else {
                isEnded = true
                switch wrapping {
                case .multipart(let boundary, _): piece.writeString(boundary.end())
                case .animation: piece.writeInteger(GIFAnimation.end)
                case .video: break
                }
                break
            }
            first = nil
            try wrap(picture, at: addresses.removeFirst(), into: &piece)
        }
        return piece.readableBytes > 0 ? piece : nil
    }

    private func wrap(_ picture: [UInt8], at address: String, into piece: inout ByteBuffer) throws {
        switch wrapping {
        case .multipart(let boundary, let type):
            piece.writeString(boundary.head(type, location: address, isFirst: !isHeadOut))
            isHeadOut = true
            piece.writeBytes(picture)
        case .animation(var animation):
            guard animation.add(picture, to: &piece) else { throw ArchiveError.coderFailed }
            wrapping = .animation(animation)
        case .video(var movie, let format):
            guard movie.add(picture, to: &piece) else { throw ArchiveError.coderFailed }
            wrapping = .video(movie, format)
        }
    }

    private func take() throws -> [UInt8]? {
        while true {
            do { return try run?.take() } catch ArchiveError.transcodingFailed(let reason) {
                // A broken frame; the others are of use without it.
                failure = ArchiveError.transcodingFailed(reason)
                addresses.removeFirst()
            }
        }
    }

    /// Begins the next picture that can be had, or the next group of a video; nil when there is none.
    private func begin() throws -> FramePromise? {
        while true {
            if let renderer, let index = frames.first {
                do {
                    let promise = try begin(index, of: renderer)
                    addresses.append(answer.address(sources[sourceIndex - 1], frame: index))
                    return promise
                } catch let error as RenderingError {
                    failure = error
                    continue
                } catch ArchiveError.transcodingFailed(let reason) {
                    failure = ArchiveError.transcodingFailed(reason)
                    continue
                }
            }
            guard sourceIndex < sources.count else { return nil }
            let source = sources[sourceIndex]
            sourceIndex += 1
            do {
                let opened = try answer.renderer(source)
                frames =
                    try list.map { try FrameAnswer.numbers($0, frameCount: opened.frameCount).map { $0 - 1 }[...] }
                    ?? Array(0..<opened.frameCount)[...]
                renderer = opened
            } catch let problem as Problem where problem.status == .notAcceptable {
                failure = problem
            }
        }
    }

    /// Begins the picture of the first frame, or the group that begins with it.
    private func begin(_ index: Int, of renderer: FrameRenderer) throws -> FramePromise {
        guard case .video(_, let format) = wrapping else {
            frames.removeFirst()
            return try renderer.begin(index, order)
        }
        groupCount += 1
        return try renderer.beginGroup(of: &frames, order, format, isOdd: groupCount % 2 == 0)
    }
}
