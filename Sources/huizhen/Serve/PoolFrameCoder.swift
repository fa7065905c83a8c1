import Archive
import Codecs
import DICOM

/// Frames are converted in worker processes without keys, files or network.
final class PoolFrameCoder: FrameCoder {
    private let pool: CodecPool
    let concurrency: Int

    init(workerCount: Int) {
        var options = CodecPoolOptions()
        options.workerCount = workerCount
        // Pictures are asked for in bursts, and a worker takes longer to start than ten of them to make.
        options.idleTimeout = .seconds(600)
        pool = CodecPool(options)
        concurrency = workerCount
    }

    func code(_ frame: [UInt8], _ work: FrameWork) throws -> [UInt8] { try begin(frame, work)() }

    func begin(_ frame: [UInt8], _ work: FrameWork) throws -> FramePromise {
        let pending = try pool.start(
            frame,
            FrameConversion(
                from: work.sourceCoding.transferSyntax, FrameFormat(work.source),
                to: work.targetCoding.transferSyntax, FrameFormat(work.target)))
        return promise(pending)
    }

    func begin(_ frame: [UInt8], _ rendering: ImageRendering) throws -> FramePromise {
        let pending = try pool.start(frame, FrameRendering(rendering))
        return promise(pending)
    }

    func begin(_ frames: [[UInt8]], _ group: VideoGroup) throws -> FramePromise {
        let pending = try pool.start(
            VideoRendering(frames, group.renderings.map { try FrameRendering($0) }, group.format, isOdd: group.isOdd))
        return promise(pending)
    }

    private func promise(_ pending: PendingFrame) -> FramePromise {
        let claim = Claim(pending)
        return { try claim.pending.wait() }
    }

    /// Held by whoever will take a frame; one that is let go of is not made.
    private final class Claim: Sendable {
        let pending: PendingFrame

        init(_ pending: PendingFrame) { self.pending = pending }

        deinit { pending.giveUp() }
    }

    var writesText: Bool { FrameRendering.writesText }

    func mayPass(_ error: any Error) -> Bool {
        switch error as? CodecError {
        case .workerFailed, .outOfMemory, .closed: true
        default: false
        }
    }

    func close() { pool.close() }
}

extension DICOM.FrameCoding {
    /// One of the syntaxes whose frames are coded so.
    fileprivate var transferSyntax: TransferSyntax {
        switch self {
        case .native: .explicitVRLittleEndian
        case .rle: .rleLossless
        case .deflated: .deflatedImageFrameCompression
        case .jpegBaseline: .jpegBaseline
        case .jpegExtended: .jpegExtended
        case .jpegLossless: .jpegLosslessSV1
        case .jpegLSLossless: .jpegLSLossless
        case .jpegLSNearLossless: .jpegLSNearLossless
        case .jpeg2000: .jpeg2000Lossless
        case .htj2k: .htj2kLossless
        }
    }
}

extension FrameRendering {
    fileprivate init(_ rendering: ImageRendering) throws(CodecError) {
        try self.init(
            from: rendering.coding.transferSyntax, FrameFormat(rendering.source),
            native: FrameFormat(rendering.native), rendering)
    }
}

extension FrameFormat {
    fileprivate init(_ format: PixelFormat) throws(CodecError) {
        try self.init(
            rows: format.rows, columns: format.columns, samplesPerPixel: format.samplesPerPixel,
            bitsAllocated: format.bitsAllocated, bitsStored: format.bitsStored, highBit: format.highBit,
            isSigned: format.isSigned,
            photometricInterpretation: PhotometricInterpretation(
                value: format.photometricInterpretation, samplesPerPixel: format.samplesPerPixel),
            planarConfiguration: format.planarConfiguration)
    }
}
