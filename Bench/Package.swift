// swift-tools-version: 6.2
// The benchmark drives the built `huizhen` and its peers as processes; only what fills a catalogue with a million studies
// and what measures a module alone goes through the house's own modules.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "bench",
    products: [
        .executable(name: "bench", targets: ["bench"]), .executable(name: "fill", targets: ["fill"]),
        .executable(name: "wanline", targets: ["wanline"]),
    ],
    dependencies: [
        .package(name: "huizhen", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        .target(
            name: "Loading",
            dependencies: [
                .product(name: "Catalog", package: "huizhen"), .product(name: "DICOM", package: "huizhen"),
                .product(name: "Keys", package: "huizhen"), .product(name: "Audit", package: "huizhen"),
                .product(name: "Access", package: "huizhen"),
                .product(name: "Deidentification", package: "huizhen"),
            ],
            swiftSettings: strict),
        .target(name: "Benchmarking", dependencies: ["CLinux", "Loading"], swiftSettings: strict),
        .executableTarget(
            name: "bench",
            dependencies: ["Benchmarking", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),
        .executableTarget(
            name: "fill",
            dependencies: ["Loading", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),
        .executableTarget(
            name: "wanline", cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"]), .define("_GNU_SOURCE")]),
        .testTarget(name: "BenchmarkingTests", dependencies: ["Benchmarking", "Loading"], swiftSettings: strict),
    ]
)
