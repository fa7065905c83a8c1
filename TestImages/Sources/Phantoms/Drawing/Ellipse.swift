/// A filled ellipse in pixels, turned by an angle in radians.
struct Ellipse {
    var x: Double
    var y: Double
    var radiusX: Double
    var radiusY: Double
    private let cosine: Double
    private let sine: Double

    init(_ x: Double, _ y: Double, _ radiusX: Double, _ radiusY: Double, angle: Double = 0) {
        self.x = x
        self.y = y
        self.radiusX = radiusX
        self.radiusY = radiusY
        cosine = Curve.cosine(angle)
        sine = Curve.sine(angle)
    }

    static func circle(_ x: Double, _ y: Double, _ radius: Double) -> Ellipse { Ellipse(x, y, radius, radius) }

    /// 0 in the centre, 1 on the edge, growing with the square of the distance.
    func level(_ x: Double, _ y: Double) -> Double {
        let across = ((x - self.x) * cosine + (y - self.y) * sine) / radiusX
        let along = ((y - self.y) * cosine - (x - self.x) * sine) / radiusY
        return across * across + along * along
    }

    func contains(_ x: Double, _ y: Double) -> Bool { level(x, y) <= 1 }
}
