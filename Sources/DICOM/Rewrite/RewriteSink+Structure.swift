/// Sequences, items and fragments. PS3.5 §7.5, §A.4.
extension RewriteSink {
    mutating func beginSequence(_ header: ElementHeader) throws(ParseError) {
        if skippedDepth == 0, header.depth == 0, try !enterTopLevel(header) {
            skippedDepth = 1
            return
        }
        if skippedDepth > 0 {
            skippedDepth += 1
            return
        }
        let isEmpty = header.length == 0
        delimited.append(!isEmpty)
        try writer.writeHeader(header.tag, .SQ, length: isEmpty ? 0 : .max)
    }

    mutating func beginItem() throws(ParseError) {
        recoding?.beginItem()
        if skippedDepth > 0 { return }
        contexts.append(contexts[contexts.count - 1].inner)
        try writer.writeDelimiter(.item, length: .max)
    }

    mutating func endItem() throws(ParseError) {
        recoding?.endItem()
        if skippedDepth > 0 || isCutOff { return }
        contexts.removeLast()
        try writer.writeDelimiter(.itemDelimitationItem)
    }

    mutating func endSequence() throws(ParseError) {
        if skippedDepth > 0 {
            skippedDepth -= 1
            return
        }
        if isCutOff { return }
        if delimited.removeLast() { try writer.writeDelimiter(.sequenceDelimitationItem) }
    }

    mutating func beginFragments(_ header: ElementHeader) throws(ParseError) {
        isSkippingFragments = true
        if skippedDepth > 0 { return }
        if header.depth == 0, try !enterTopLevel(header) { return }
        if !allowsFragments { throw writer.stop(.pixelDataDoesNotFit(byteOffset: header.valueOffset)) }
        isSkippingFragments = false
        let vr = header.isVRWritten && header.vr.isLong ? header.vr : .OB
        try writer.writeHeader(header.tag, vr, length: .max)
    }

    mutating func endFragments(end: UInt64) throws(ParseError) {
        if skippedDepth == 0, !isSkippingFragments, !isCutOff { try writer.writeDelimiter(.sequenceDelimitationItem) }
        isSkippingFragments = false
    }
}
