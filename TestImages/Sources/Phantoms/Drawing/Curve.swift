/// Sine, cosine and exponential from plain arithmetic.
///
/// A C library's may differ in the last bit between machines; these cannot, so that the files are the same everywhere.
enum Curve {
    static func sine(_ angle: Double) -> Double {
        let turn = 2 * Double.pi
        var reduced = angle - (angle / turn).rounded() * turn
        // Into -90° to 90°, where the series is short.
        if reduced > .pi / 2 { reduced = .pi - reduced }
        if reduced < -.pi / 2 { reduced = -.pi - reduced }
        let square = reduced * reduced
        var term = reduced
        var sum = reduced
        for index in 1...9 {
            term *= -square / Double(2 * index * (2 * index + 1))
            sum += term
        }
        return sum
    }

    static func cosine(_ angle: Double) -> Double { sine(angle + .pi / 2) }

    /// e to the power of a number from -700 to 700.
    static func exponential(_ power: Double) -> Double {
        if power < -700 { return 0 }
        var term = 1.0
        var sum = 1.0
        // Halved until small, then squared as often.
        let reduced = power / 1024
        for index in 1...8 {
            term *= reduced / Double(index)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }

    /// A bell of height 1.
    static func bell(_ position: Double, center: Double, width: Double) -> Double {
        let distance = (position - center) / width
        return exponential(-distance * distance / 2)
    }

    /// 0 below an edge, 1 above it, with a ramp `width` wide between.
    static func step(_ position: Double, edge: Double, width: Double) -> Double {
        min(1, max(0, (position - edge) / width + 0.5))
    }
}
