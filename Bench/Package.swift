// swift-tools-version: 6.2
// The benchmark drives the built `huizhen` and its peers as processes: it needs none of the house's modules.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "bench",
    products: [.executable(name: "bench", targets: ["bench"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
    ],
    targets: [
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        .target(name: "Benchmarking", dependencies: ["CLinux"], swiftSettings: strict),
        .executableTarget(
            name: "bench",
            dependencies: ["Benchmarking", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),
        .testTarget(name: "BenchmarkingTests", dependencies: ["Benchmarking"], swiftSettings: strict),
    ]
)
