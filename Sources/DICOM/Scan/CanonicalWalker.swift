/// Gives a dataset in a canonical form, piece by piece, for comparing two objects without holding either.
///
/// The form is the same for implicit and explicit VR, either byte order and deflated; group lengths, data set trailing
/// padding, padding of values, zeros behind native pixel data and whether sequences have defined lengths leave no trace.
/// Otherwise different datasets give different bytes. Used by one thread; copies share their state.
public struct CanonicalWalker {
    private let state: State

    private final class State {
        var machine: ScanMachine<CanonicalSink>
        let inflater: Inflater?

        init(machine: ScanMachine<CanonicalSink>, inflater: Inflater?) {
            self.machine = machine
            self.inflater = inflater
        }
    }

    /// - Parameter emit: takes the canonical form; its bytes are only there during the call.
    public init(
        transferSyntax: TransferSyntax, limits: ScanLimits = ScanLimits(),
        emit: @escaping (UnsafeRawBufferPointer) -> Void
    ) {
        state = State(
            machine: ScanMachine(
                sink: CanonicalSink(emit: emit), encoding: ElementEncoding(transferSyntax), limits: limits),
            inflater: transferSyntax.isDeflated ? Inflater(limits: limits) : nil)
    }

    /// The next bytes of the dataset.
    ///
    /// - Throws: the case of the limit that is broken.
    public func feed(_ bytes: UnsafeRawBufferPointer) throws(ParseError) {
        guard let inflater = state.inflater else { return try state.machine.feed(bytes) }
        try inflater.inflate(bytes) { piece throws(ParseError) in try state.machine.feed(piece) }
    }

    public func feed(_ bytes: ArraySlice<UInt8>) throws(ParseError) {
        try bytes.withUnsafeBufferPointer { buffer throws(ParseError) in
            try feed(UnsafeRawBufferPointer(buffer))
        }
    }

    public func feed(_ bytes: [UInt8]) throws(ParseError) { try feed(bytes[...]) }

    /// Gives the rest of the form. Returns whether the dataset was whole and sound.
    @discardableResult
    public func finish() throws(ParseError) -> Bool {
        try state.machine.finish()
        state.machine.sink.finish()
        let isInflated = state.inflater.map { $0.isComplete && !$0.isDamaged } ?? true
        return isInflated && !state.machine.isDamaged && !state.machine.isTruncated
    }
}
