import DICOM
import Testing

struct ResolvedVRTests {
    @Test func makesNumbersSignedWhereThePixelsAre() {
        var item = Dataset()
        item.set(.pixelPaddingValue, .US, ints: [0xF830])
        var dataset = Dataset()
        dataset.set(.pixelRepresentation, .US, ints: [1])
        dataset.set(.rows, .US, ints: [0xF830])
        dataset.set(.pixelPaddingValue, .US, ints: [0xF830])
        dataset.set(.modalityLUTSequence, items: [item])
        let resolved = dataset.withResolvedVRs()
        #expect(resolved.int(.pixelPaddingValue) == -2000)
        #expect(resolved.int(.rows) == 0xF830)
        #expect(resolved.items(.modalityLUTSequence).first?.int(.pixelPaddingValue) == -2000)
    }

    @Test func leavesThemWhereThePixelsAreNot() {
        var dataset = Dataset()
        dataset.set(.pixelRepresentation, .US, ints: [0])
        dataset.set(.pixelPaddingValue, .US, ints: [0xF830])
        #expect(dataset.withResolvedVRs().int(.pixelPaddingValue) == 0xF830)
    }
}
