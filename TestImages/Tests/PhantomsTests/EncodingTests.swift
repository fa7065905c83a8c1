import DICOM
import Foundation
import Testing

@testable import Phantoms

@Suite struct EncodingTests {
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func digestsTheExamplesOfTheStandard(message: String, digest: String) {
        #expect(SHA256.hex(Array(message.utf8)) == digest)
    }

    @Test(arguments: [
        (55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
        (56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"),
        (64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    ])
    func digestsMessagesThatFillABlock(count: Int, digest: String) {
        #expect(SHA256.hex([UInt8](repeating: UInt8(ascii: "a"), count: count)) == digest)
    }

    @Test func packsRunsAndLiteralsWithinARow() {
        let frame: [UInt8] = [7, 7, 7, 7, 1, 2, 3, 3, 3, 9, 9, 8]
        let encoded = RunLength.encode(frame, columns: 6, samplesPerPixel: 1, bytesPerSample: 1)
        #expect(Array(encoded[..<8]) == [1, 0, 0, 0, 64, 0, 0, 0])
        #expect(Array(encoded[64...]) == [253, 7, 1, 1, 2, 254, 3, 2, 9, 9, 8, 0])
    }

    @Test(arguments: [1, 2, 127, 128, 129, 257, 300])
    func unpacksWhatItPacked(columns: Int) {
        var numbers = SplitMix64(seed: UInt64(columns))
        let frame = (0..<columns * 3 * 2).map { _ in numbers.next() % 3 == 0 ? UInt8(numbers.next() & 0xFF) : 5 }
        let encoded = RunLength.encode(frame, columns: columns, samplesPerPixel: 1, bytesPerSample: 2)
        let high = Self.unpacked(encoded, segment: 0, count: columns * 3)
        let low = Self.unpacked(encoded, segment: 1, count: columns * 3)
        #expect(zip(low, high).flatMap { [$0, $1] } == frame)
    }

    private static func unpacked(_ encoded: [UInt8], segment: Int, count: Int) -> [UInt8] {
        let entry = 4 + 4 * segment
        var index = Int(encoded[entry]) | Int(encoded[entry + 1]) << 8 | Int(encoded[entry + 2]) << 16
        var output: [UInt8] = []
        while output.count < count {
            let control = Int(Int8(bitPattern: encoded[index]))
            if control >= 0 {
                output += encoded[index + 1...index + 1 + control]
                index += control + 2
            } else {
                output += [UInt8](repeating: encoded[index + 1], count: 1 - control)
                index += 2
            }
        }
        return output
    }

    @Test func inflatesToTheDatasetItDeflated() throws {
        var dataset = Dataset()
        dataset.set(.sopInstanceUID, .UI, string: "2.25.1")
        dataset.set(.textValue, .UT, string: String(repeating: "every length and distance ", count: 4000))
        var numbers = SplitMix64(seed: 1)
        dataset.set(.encapsulatedDocument, .OB, bytes: (0..<70_000).map { _ in UInt8(numbers.next() & 0x0F) })
        let plain = dataset.encoded(transferSyntax: .explicitVRLittleEndian)
        let deflated = Deflate.compress(plain)
        #expect(deflated.count < plain.count)
        let read = try Dataset.parse(deflated, transferSyntax: .deflatedExplicitVRLittleEndian)
        // Digests, for a failure would print every byte.
        #expect(SHA256.hex(read.encoded(transferSyntax: .explicitVRLittleEndian)) == SHA256.hex(plain))
    }

    @Test func curvesAgreeWithTheLibrarys() {
        for step in -400...400 {
            let number = Double(step) / 7
            #expect(abs(Curve.sine(number) - Foundation.sin(number)) < 1e-9)
            #expect(abs(Curve.cosine(number) - Foundation.cos(number)) < 1e-9)
            #expect(abs(Curve.exponential(-abs(number)) - Foundation.exp(-abs(number))) < 1e-9)
        }
    }

    @Test(arguments: [(0.1 + 0.2, "0.3"), (-1024, "-1024"), (-0.5, "-0.5"), (2.5, "2.5"), (1e-9, "0")])
    func writesDecimalsShort(number: Double, text: String) {
        #expect(AttributeValue.decimalString(number) == text)
    }
}
