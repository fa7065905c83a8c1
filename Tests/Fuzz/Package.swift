// swift-tools-version: 6.2
// Feeds whatever reads outside input with mutated input, under the address sanitizer; `make fuzz` builds and runs it.
// The targets are compiled a second time into the root package's FuzzTests, which replay the kept cases.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "huizhen-fuzz",
    dependencies: [.package(name: "huizhen", path: "../..")],
    targets: [
        .target(
            name: "FuzzTargets", dependencies: [.product(name: "Fuzzed", package: "huizhen")], path: "Targets",
            exclude: ["CaseTests.swift"], swiftSettings: strict),
        // Its `main` is libFuzzer's.
        .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], path: "Driver", swiftSettings: strict),
    ]
)
