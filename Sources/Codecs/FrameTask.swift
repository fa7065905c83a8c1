import CCodecs

/// What is to be done with one frame.
enum FrameTask: Sendable {
    case convert(FrameConversion)
    case render(FrameRendering)
    case findText(TextSearch)

    /// The most bytes the frame may have.
    var inputByteCountLimit: Int {
        switch self {
        case .convert(let conversion): conversion.inputByteCountLimit
        case .render(let rendering): rendering.inputByteCountLimit
        case .findText(let search): search.byteCount
        }
    }

    /// The most bytes the result has.
    var outputByteCountLimit: Int {
        switch self {
        case .convert(let conversion): conversion.outputByteCountLimit
        case .render(let rendering): rendering.outputByteCountLimit
        case .findText: TextSearch.wordLimit * TextSearch.wordByteCount
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
        }
    }

    /// What precedes the frame.
    var tables: [UInt8] {
        if case .render(let rendering) = self { rendering.tables } else { [] }
    }

    /// How the frame is coded, and the result.
    var names: (from: String, to: String) {
        switch self {
        case .convert(let conversion): (conversion.from.name, conversion.to.name)
        case .render(let rendering): (rendering.from.name, "the picture")
        case .findText: ("picture", "its words")
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
