import CCodecs

/// What is to be done with one frame, or with a group of them.
enum FrameTask: Sendable {
    case convert(FrameConversion)
    case render(FrameRendering)
    case findText(TextSearch)
    case video(VideoRendering)

    /// The most bytes the frame may have.
    var inputByteCountLimit: Int {
        switch self {
        case .convert(let conversion): conversion.inputByteCountLimit
        case .render(let rendering): rendering.inputByteCountLimit
        case .findText(let search): search.byteCount
        // The frames were looked at one by one.
        case .video(let video): video.bytes.count
        }
    }

    /// The most bytes the result has.
    var outputByteCountLimit: Int {
        switch self {
        case .convert(let conversion): conversion.outputByteCountLimit
        case .render(let rendering): rendering.outputByteCountLimit
        case .findText: TextSearch.wordLimit * TextSearch.wordByteCount
        case .video(let video): video.outputByteCountLimit
        }
    }

    /// Whether the result must be as long as its limit.
    var isExact: Bool {
        if case .convert(let conversion) = self { conversion.to == .native } else { false }
    }

    /// Bytes of the largest native frame in between.
    var nativeByteCount: Int {
        switch self {
        case .convert(let conversion): max(conversion.sourceFormat.byteCount, conversion.targetFormat.byteCount)
        case .render(let rendering): max(rendering.sourceFormat.byteCount, rendering.nativeFormat.byteCount)
        case .findText(let search): search.byteCount
        case .video(let video): video.nativeByteCount
        }
    }

    /// What precedes the frame.
    var tables: [UInt8] {
        switch self {
        case .convert, .findText: []
        case .render(let rendering): rendering.tables
        case .video(let video): video.tables
        }
    }

    /// How the frame is coded, and the result.
    var names: (from: String, to: String) {
        switch self {
        case .convert(let conversion): (conversion.from.name, conversion.to.name)
        case .render(let rendering): (rendering.from.name, "the picture")
        case .findText: ("picture", "its words")
        case .video(let video): (video.from.name, "the video")
        }
    }

    /// Writes down the task for a worker.
    func describe(in request: inout HZWorkerRequest) {
        switch self {
        case .convert(let conversion): request.conversion = conversion.described
        case .render(let rendering):
            request.rendersPicture = true
            request.tableByteCount = UInt64(rendering.tables.count)
            request.rendering = rendering.described
        case .findText(let search):
            request.findsText = true
            request.text = search.described
        case .video(let video):
            request.makesVideo = true
            request.tableByteCount = UInt64(video.tables.count)
            request.video = video.described
        }
    }
}

extension CodecError {
    /// nil for success. The side that reads is to blame for streams, the side that writes for room.
    init?(_ status: HZCodecStatus, _ task: FrameTask) {
        let names = task.names
        let native = FrameCoding.native.name
        switch status {
        case .OK: return nil
        case .malformed: self = .malformed(coding: names.from)
        case .differs: self = .differs(coding: names.from)
        case .unsupported: self = .unsupported(coding: names.from == native ? names.to : names.from)
        case .noRoom: self = .incompressible(coding: names.to)
        case .outOfMemory: self = .outOfMemory
        case .misuse: self = .badFormat(attribute: "format")
        }
    }
}
