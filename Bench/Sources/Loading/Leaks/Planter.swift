import DICOM

/// Gives out values that stand nowhere else and remembers where they were put.
struct Planter {
    private(set) var sites: [PlantedSite] = []
    private var dateCount = 0

    /// A word of capitals.
    mutating func word(_ site: String) -> String {
        var number = sites.count * 7919 + 1
        var letters = ""
        for _ in 0..<4 {
            letters.append(Character(UnicodeScalar(UInt8(65 + number % 26))))
            number /= 26
        }
        return add(site, "QZ\(letters)XJ")
    }

    mutating func name(_ site: String) -> String { word(site) + "^JOSEPH" }

    /// A day so far from all others that moving it by years makes none of them.
    mutating func date(_ site: String) -> String {
        dateCount += 1
        return add(site, "\(1660 + 40 * dateCount)01\(10 + dateCount)")
    }

    mutating func uid(_ site: String) -> String { add(site, "1.2.826.0.1.3680043.77.\(1_000_000 + sites.count)") }

    /// Of a mobile telephone.
    mutating func telephone(_ site: String) -> String { add(site, "1391357\(1000 + sites.count)") }

    /// Of a resident of China, with its check character. GB 11643.
    mutating func residentNumber(_ site: String) -> String {
        let digits = Array("11010519491231\(100 + sites.count)".utf8).map { Int($0) - 48 }
        let sum = zip(digits, [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]).reduce(0) { $0 + $1.0 * $1.1 }
        return add(site, digits.map { "\($0)" }.joined() + String(Array("10X98765432")[sum % 11]))
    }

    /// A name whose second byte in GB18030 is a backslash.
    mutating func chineseName(_ site: String) -> String {
        let name = "誠運錦"
        let values: [[UInt8]] = [
            Array(name.utf8), name.utf16.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] },
            name.utf16.flatMap { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] },
            [0xD5, 0x5C, 0xDF, 0x5C, 0xE5, 0x5C],
            // Big5.
            [0xB8, 0xDB, 0xB9, 0x42, 0xC0, 0x41],
        ]
        sites.append(PlantedSite(name: site, values: values))
        return name
    }

    private mutating func add(_ site: String, _ value: String) -> String {
        sites.append(PlantedSite(name: site, values: [Array(value.utf8)]))
        return value
    }
}
