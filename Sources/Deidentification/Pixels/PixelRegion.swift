import DICOM

/// A rectangle of pixels, counted from the upper left.
public struct PixelRegion: Hashable, Sendable {
    public var left: Int
    public var top: Int
    public var width: Int
    public var height: Int

    public init(left: Int, top: Int, width: Int, height: Int) {
        self.left = left
        self.top = top
        self.width = width
        self.height = height
    }

    /// The columns and rows that lie in a picture; nil when none do.
    func clipped(rows: Int, columns: Int) -> (rows: Range<Int>, columns: Range<Int>)? {
        let (first, last) = (max(0, left), min(columns, left + width))
        let (upper, lower) = (max(0, top), min(rows, top + height))
        return first < last && upper < lower ? (upper..<lower, first..<last) : nil
    }

    /// Where an ultrasound image says that its pictures lie; what is around them is the device's. PS3.3 §C.8.5.5.1.
    ///
    /// Nil when it does not say, or not in a way that can be followed.
    public static func ofUltrasound(_ header: Dataset) -> [PixelRegion]? {
        let items = header.items(Tag(0x0018_6011))
        guard !items.isEmpty else { return nil }
        var regions: [PixelRegion] = []
        for item in items {
            guard let left = item.int(Tag(0x0018_6018)), let top = item.int(Tag(0x0018_601A)),
                let right = item.int(Tag(0x0018_601C)), let bottom = item.int(Tag(0x0018_601E)),
                (0...right).contains(left), (0...bottom).contains(top), right <= 0xFFFF, bottom <= 0xFFFF
            else { return nil }
            regions.append(PixelRegion(left: left, top: top, width: right - left + 1, height: bottom - top + 1))
        }
        return regions
    }
}
