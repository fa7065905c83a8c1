/// A picture of one channel, held as floating-point numbers until it is stored.
struct Plane {
    let columns: Int
    let rows: Int
    private(set) var samples: [Double]

    init(columns: Int, rows: Int, fill: Double = 0) {
        self.columns = columns
        self.rows = rows
        samples = [Double](repeating: fill, count: columns * rows)
    }

    init(columns: Int, rows: Int, draw: (_ x: Double, _ y: Double) -> Double) {
        self.init(columns: columns, rows: rows)
        change { x, y, _ in draw(x, y) }
    }

    /// Works on every pixel, row by row; `x` and `y` are its column and row.
    mutating func change(_ body: (_ x: Double, _ y: Double, _ sample: Double) -> Double) {
        var index = 0
        for row in 0..<rows {
            for column in 0..<columns {
                samples[index] = body(Double(column), Double(row), samples[index])
                index += 1
            }
        }
    }

    mutating func fill(_ ellipse: Ellipse, with value: Double) {
        change { x, y, sample in ellipse.contains(x, y) ? value : sample }
    }

    mutating func addNoise(_ deviation: Double, from numbers: inout SplitMix64) {
        for index in samples.indices { samples[index] += deviation * numbers.noise() }
    }

    /// 16-bit little endian, cut to a range.
    func words(in range: ClosedRange<Int>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(samples.count * 2)
        for sample in samples {
            let value = UInt16(truncatingIfNeeded: min(range.upperBound, max(range.lowerBound, Int(sample.rounded()))))
            bytes.append(UInt8(truncatingIfNeeded: value))
            bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        }
        return bytes
    }

    /// 8-bit, cut to 0 to 255.
    func bytes() -> [UInt8] { samples.map { Self.byte($0) } }

    static func byte(_ sample: Double) -> UInt8 { UInt8(min(255, max(0, sample.rounded()))) }
}
