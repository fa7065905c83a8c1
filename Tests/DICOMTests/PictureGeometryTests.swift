import Testing

@testable import DICOM

struct PictureGeometryTests {
    private func geometry(
        _ region: PictureRegion = .whole, width: Int? = nil, height: Int? = nil, columns: Int = 400, rows: Int = 200,
        pixelAspect: Double = 1
    ) throws -> PictureGeometry {
        var order = PictureOrder()
        order.region = region
        order.width = width
        order.height = height
        return try PictureGeometry(order, columns: columns, rows: rows, pixelAspect: pixelAspect)
    }

    private func sides(_ geometry: PictureGeometry) -> [Int] { [geometry.width, geometry.height] }

    @Test func fitsIntoTheViewportAndKeepsWhatIsRoundRound() throws {
        #expect(try sides(geometry()) == [400, 200])
        #expect(try sides(geometry(width: 100, height: 100)) == [100, 50])
        #expect(try sides(geometry(width: 4000, height: 100)) == [200, 100])
        #expect(try sides(geometry(width: 800, height: 8192)) == [800, 400])
        #expect(try sides(geometry(width: 100, height: 100, pixelAspect: 2)) == [100, 100])
        #expect(try sides(geometry(height: 50)) == [100, 50])
        #expect(try sides(geometry(width: 1, height: 1)) == [1, 1])
        // One pixel is one pixel where no size is asked for.
        #expect(try sides(geometry(pixelAspect: 2)) == [400, 200])
    }

    @Test func boundsThePicturesSides() throws {
        #expect(try sides(geometry(columns: 8192, rows: 8192)) == [8192, 8192])
        #expect(try sides(geometry(columns: 8193, rows: 100)) == [8192, 100])
        #expect(try sides(geometry(columns: 65_535, rows: 65_535)) == [8192, 8192])
        #expect(try sides(geometry(width: 8192, columns: 1, rows: 100)) == [82, 8192])
    }

    @Test func takesARegionUpToTheEdges() throws {
        let mirrored = try geometry(.pixels(left: 10, top: 20, width: -390, height: -180))
        #expect([mirrored.left, mirrored.top, mirrored.regionWidth, mirrored.regionHeight] == [10, 20, 390, 180])
        #expect(mirrored.mirrorsColumns && mirrored.mirrorsRows)
        let shares = try geometry(.shares(left: 0.25, top: 0.5, right: 1, bottom: 1))
        #expect([shares.left, shares.top, shares.regionWidth, shares.regionHeight] == [100, 100, 300, 100])
        let rest = try geometry(.pixels(left: 399, top: 0, width: nil, height: nil))
        #expect([rest.regionWidth, rest.regionHeight] == [1, 200])
    }

    @Test(arguments: [
        PictureRegion.pixels(left: 10, top: 20, width: 391, height: 1), .pixels(left: 400, top: 0, width: 1, height: 1),
        .pixels(left: 0, top: 200, width: 1, height: 1), .pixels(left: -1, top: 0, width: 1, height: 1),
        .pixels(left: 0, top: 0, width: 0, height: 1), .pixels(left: 0, top: 0, width: .min, height: .max),
        .shares(left: 0.5, top: 0, right: 0.5, bottom: 1), .shares(left: 0, top: 0, right: 1.1, bottom: 1),
    ])
    func refusesARegionBeyondThem(_ region: PictureRegion) {
        #expect(throws: RenderingError.regionOutside) { try geometry(region) }
    }

    @Test func readsTablesOfWordsAndOfBytes() throws {
        func table(_ descriptor: [Int], _ bytes: [UInt8]) throws -> LookupTable {
            var item = Dataset()
            item.set(.lutDescriptor, .US, ints: descriptor)
            return try LookupTable(
                descriptor: .lutDescriptor, data: .lutData, of: item, isSigned: descriptor[1] > 0x7FFF, bytes: bytes)
        }
        #expect(try table([2, 0xFFFF, 16], [1, 2, 3, 4]).entries == [0x0201, 0x0403])
        #expect(try table([2, 0xFFFF, 16], [1, 2, 3, 4]).firstValue == -1)
        #expect(try table([3, 5, 8], [1, 2, 3, 0]).entries == [1, 2, 3])
        #expect(try table([0, 0, 8], [UInt8](repeating: 7, count: 65_536)).entries.count == 65_536)
        #expect(throws: RenderingError.badTable(.lutData)) {
            try table([0, 0, 16], [UInt8](repeating: 7, count: 131_071))
        }
        #expect(throws: RenderingError.badTable(.lutData)) { try table([2, 0, 16], [1, 2, 3]) }
        #expect(throws: RenderingError.badTable(.lutDescriptor)) { try table([2, 0, 17], [1, 2, 3, 4]) }
        #expect(throws: RenderingError.badTable(.lutDescriptor)) { try table([2, 0, 0], [1, 2, 3, 4]) }
    }
}
