/// Which part of a frame is shown, and in which size.
public struct PictureGeometry: Hashable, Sendable {
    /// The region in pixels of the frame.
    public var left: Int
    public var top: Int
    public var regionWidth: Int
    public var regionHeight: Int
    /// Sides of the picture, 1...`PictureOrder.sideLimit`.
    public var width: Int
    public var height: Int
    public var mirrorsColumns = false
    public var mirrorsRows = false

    /// Fits the region into the viewport so that what is round stays so. PS3.18 §8.3.5.1.3.
    ///
    /// Without a viewport one pixel is one pixel, unless the picture would be larger than any may be.
    ///
    /// - Parameter pixelAspect: a pixel's height for each width.
    /// - Throws: `.regionOutside`.
    init(_ order: PictureOrder, columns: Int, rows: Int, pixelAspect: Double) throws(RenderingError) {
        (left, top, regionWidth, regionHeight) = (0, 0, columns, rows)
        switch order.region {
        case .whole: break
        case .pixels(let left, let top, let width, let height):
            mirrorsColumns = width ?? 1 < 0
            mirrorsRows = height ?? 1 < 0
            guard (0..<columns).contains(left), (0..<rows).contains(top) else { throw .regionOutside }
            self.left = left
            self.top = top
            regionWidth = width.map { Int(clamping: $0.magnitude) } ?? columns - left
            regionHeight = height.map { Int(clamping: $0.magnitude) } ?? rows - top
        case .shares(let left, let top, let right, let bottom):
            guard 0 <= left, left < right, right <= 1, 0 <= top, top < bottom, bottom <= 1 else { throw .regionOutside }
            self.left = min(columns - 1, Int(left * Double(columns)))
            self.top = min(rows - 1, Int(top * Double(rows)))
            regionWidth = max(1, Int((right * Double(columns)).rounded()) - self.left)
            regionHeight = max(1, Int((bottom * Double(rows)).rounded()) - self.top)
        }
        guard (1...columns - left).contains(regionWidth), (1...rows - top).contains(regionHeight) else {
            throw .regionOutside
        }
        (width, height) = (regionWidth, regionHeight)
        let limit = Double(PictureOrder.sideLimit)
        let isFree = order.width == nil && order.height == nil
        if isFree, max(regionWidth, regionHeight) <= PictureOrder.sideLimit { return }
        let naturalWidth = Double(regionWidth)
        let naturalHeight = Double(regionHeight) * (isFree ? 1 : pixelAspect)
        let scale = min(
            order.width.map { Double($0) / naturalWidth } ?? .infinity,
            order.height.map { Double($0) / naturalHeight } ?? .infinity, limit / naturalWidth, limit / naturalHeight)
        width = Self.side(naturalWidth * scale, limit: order.width)
        height = Self.side(naturalHeight * scale, limit: order.height)
    }

    private static func side(_ length: Double, limit: Int?) -> Int {
        max(1, min(Int(length.rounded()), limit ?? PictureOrder.sideLimit, PictureOrder.sideLimit))
    }
}
