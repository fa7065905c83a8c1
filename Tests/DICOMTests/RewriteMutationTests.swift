import DICOM
import Testing

/// Damaged sources: an error or a sound dataset, the same however the source is cut, and never a crash.
@Suite struct RewriteMutationTests {
    @Test(arguments: 0..<4)
    func survivesDamage(_ seed: Int) throws {
        let (bytes, from) = MutationTests.seeds()[seed]
        let targets: [TransferSyntax] =
            from.isEncapsulated
            ? [from, .jpeg2000] : [.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian]
        var generator = SeededGenerator(seed: UInt64(1000 + seed))
        var options = RewriteOptions()
        options.limits.inflatedByteCount = 1 << 20
        var soundCount = 0
        for round in 0..<1500 {
            let damaged = MutationTests.mutated(bytes, &generator)
            let to = targets[round % targets.count]
            options.fedByteCount = .max
            let whole = outcome(damaged, from, to, options)
            options.fedByteCount = Int.random(in: 1...9, using: &generator)
            try #require(whole == outcome(damaged, from, to, options), "cut differently, written differently")
            guard case .success(let written) = whole else { continue }
            try #require(outcome(written, to, to, RewriteOptions()) == whole, "not settled by the first writing")
            let source = try scan(damaged, from, limits: options.limits)
            if source.isDamaged || source.isTruncated { continue }
            soundCount += 1
            let again = try scan(written, to)
            try #require(!again.isTruncated && !again.isDamaged, "what was written is not sound")
            // Half a number, which is padded at its end, has no byte order.
            if to.isBigEndian { continue }
            try #require(try canonical(written, to) == canonical(damaged, from), "a value has changed")
        }
        #expect(soundCount > 50)
    }

    private func outcome(
        _ bytes: [UInt8], _ from: TransferSyntax, _ to: TransferSyntax, _ options: RewriteOptions
    ) -> Result<[UInt8], Named> {
        do throws(RewriteError) { return .success(try rewrite(bytes, from, to, options).bytes) } catch {
            return .failure(Named(name: error.name))
        }
    }

    struct Named: Error, Equatable {
        var name: String
    }

    @Test func survivesDamageWhileFramesAreReplaced() throws {
        let (bytes, from) = MutationTests.seeds()[0]
        var generator = SeededGenerator(seed: 77)
        var options = RewriteOptions()
        options.pixelData = .native(vr: .OW, byteCount: 4, frames: FrameSource([[1, 2], [3, 4]]))
        for _ in 0..<1500 {
            let damaged = MutationTests.mutated(bytes, &generator)
            options.fedByteCount = Int.random(in: 1...50, using: &generator)
            let whole = outcome(damaged, from, .explicitVRLittleEndian, options)
            if case .success(let written) = whole {
                let again = try scan(written)
                try #require(!again.isTruncated && !again.isDamaged)
            }
        }
    }

    @Test(arguments: [1, 9, 20, 40, 61, 100])
    func refusesASourceThatEndsTooEarly(_ missingCount: Int) throws {
        var source = Stream()
        source.explicit(.patientID, "LO", "AB")
        source.explicit(.procedureCodeSequence, "SQ", length: 120)
        source.implicit(.item, length: 112)
        source.explicit(.codeValue, "SH", [UInt8](repeating: 65, count: 104))
        let cut = Array(source.bytes.dropLast(missingCount))
        for fedByteCount in [1, 7, Int.max] {
            var options = RewriteOptions()
            options.fedByteCount = fedByteCount
            let error = #expect(throws: RewriteError.self) {
                _ = try rewrite(cut, .explicitVRLittleEndian, .implicitVRLittleEndian, options)
            }
            guard case .truncated(let offset) = error else {
                Issue.record("wrong error")
                return
            }
            #expect(offset <= UInt64(cut.count))
        }
    }

    @Test func refusesADeflatedSourceThatEndsTooEarly() {
        let deflated = Deflate.raw(DatasetTests.sample().encoded(transferSyntax: .explicitVRLittleEndian))
        #expect(throws: RewriteError.self) {
            _ = try rewrite(
                Array(deflated.dropLast(3)), .deflatedExplicitVRLittleEndian, .explicitVRLittleEndian)
        }
    }

    @Test func leavesOutWhatComesAfterTheDataset() throws {
        var source = Stream()
        source.explicit(.patientID, "LO", "AB")
        let zeros = [UInt8](repeating: 0, count: 100)
        let result = try rewrite(source.bytes + zeros, .explicitVRLittleEndian, .explicitVRLittleEndian)
        #expect(result.bytes == source.bytes)
    }

    @Test func refusesOneLevelTooMany() throws {
        let atBound = ScannerBoundTests.nested(64)
        #expect(try rewrite(atBound, .explicitVRLittleEndian, .explicitVRLittleEndian).bytes == atBound)
        let error = #expect(throws: RewriteError.self) {
            _ = try rewrite(ScannerBoundTests.nested(65), .explicitVRLittleEndian, .implicitVRLittleEndian)
        }
        guard case .unreadable(.tooDeep(limit: 64, _)) = error else {
            Issue.record("wrong error")
            return
        }
    }

    @Test func boundsElements() throws {
        var source = Stream()
        for index in 0..<10 { source.explicit(Tag(0x0011, UInt16(0x1000 + index)), "LO", "AB") }
        var options = RewriteOptions()
        options.limits.elementCount = 10
        #expect(throws: Never.self) {
            _ = try rewrite(source.bytes, .explicitVRLittleEndian, .implicitVRLittleEndian, options)
        }
        options.limits.elementCount = 9
        #expect(throws: RewriteError.self) {
            _ = try rewrite(source.bytes, .explicitVRLittleEndian, .implicitVRLittleEndian, options)
        }
    }
}
