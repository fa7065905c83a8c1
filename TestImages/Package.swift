// swift-tools-version: 6.2
// A package of its own, so that the service never links what draws its test images.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "TestImages",
    products: [
        .executable(name: "testimages", targets: ["testimages"]),
        .library(name: "Phantoms", targets: ["Phantoms"]),
    ],
    dependencies: [
        .package(name: "huizhen", path: "../"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    ],
    targets: [
        .target(
            name: "Phantoms", dependencies: [.product(name: "DICOM", package: "huizhen")], swiftSettings: strict),
        .executableTarget(
            name: "testimages",
            dependencies: ["Phantoms", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: strict),
        .testTarget(
            name: "PhantomsTests", dependencies: ["Phantoms", .product(name: "DICOM", package: "huizhen")],
            swiftSettings: strict),
    ]
)
