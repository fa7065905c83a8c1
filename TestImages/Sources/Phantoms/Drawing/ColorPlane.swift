/// Red, green and blue from 0 to 255.
struct Color {
    var red: Double
    var green: Double
    var blue: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    func mixed(with other: Color, _ share: Double) -> Color {
        Color(
            red + (other.red - red) * share, green + (other.green - green) * share, blue + (other.blue - blue) * share)
    }

    func lit(by factor: Double) -> Color { Color(red * factor, green * factor, blue * factor) }
}

/// A picture in true colour.
struct ColorPlane {
    let columns: Int
    let rows: Int
    private(set) var samples: [Color]

    init(columns: Int, rows: Int, draw: (_ x: Double, _ y: Double) -> Color) {
        self.columns = columns
        self.rows = rows
        samples = []
        samples.reserveCapacity(columns * rows)
        for row in 0..<rows { for column in 0..<columns { samples.append(draw(Double(column), Double(row))) } }
    }

    /// One pixel after another: Planar Configuration 0. PS3.3 §C.7.6.3.1.3.
    func interleaved() -> [UInt8] {
        samples.flatMap { [Plane.byte($0.red), Plane.byte($0.green), Plane.byte($0.blue)] }
    }

    /// One colour after another: Planar Configuration 1.
    func planar() -> [UInt8] {
        samples.map { Plane.byte($0.red) } + samples.map { Plane.byte($0.green) }
            + samples.map { Plane.byte($0.blue) }
    }

    /// Luminance and two colour differences for each pixel: YBR_FULL, PS3.3 §C.7.6.3.1.2.
    func interleavedYBR() -> [UInt8] {
        samples.flatMap { color in
            let luminance = 0.299 * color.red + 0.587 * color.green + 0.114 * color.blue
            return [
                Plane.byte(luminance), Plane.byte(128 + (color.blue - luminance) * 0.564),
                Plane.byte(128 + (color.red - luminance) * 0.713),
            ]
        }
    }
}
