// swift-tools-version: 6.2
// The dependency table of the house: doors never import doors; everything meets in Archive.
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "huizhen",
    products: [
        .executable(name: "huizhen", targets: ["huizhen"]),
        .library(name: "DICOM", targets: ["DICOM"]),
        .library(name: "Access", targets: ["Access"]),
        .library(name: "Audit", targets: ["Audit"]),
        .library(name: "Catalog", targets: ["Catalog"]),
        .library(name: "Deidentification", targets: ["Deidentification"]),
        .library(name: "Keys", targets: ["Keys"]),
        // What reads outside input, for Tests/Fuzz.
        .library(
            name: "Fuzzed",
            targets: [
                "CDCMTK", "Codecs", "DICOM", "Toolkit", "Database", "Keys", "BlobStore", "Catalog", "DIMSE", "Access",
                "Control", "HTTP", "DICOMweb", "Deidentification", "SFTP",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // Ground: C, without policy.
        .systemLibrary(name: "COpenSSL", path: "Sources/COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CZstd", path: "Sources/CZstd", providers: [.apt(["libzstd-dev"])]),
        .systemLibrary(name: "CExpat", path: "Sources/CExpat", providers: [.apt(["libexpat1-dev"])]),
        .systemLibrary(name: "CQRencode", path: "Sources/CQRencode", providers: [.apt(["libqrencode-dev"])]),
        .systemLibrary(name: "CArchive", path: "Sources/CArchive", providers: [.apt(["libarchive-dev"])]),
        .target(
            name: "CSealedSQLite", path: "Sources/CSealedSQLite",
            cSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2"]), .define("_GNU_SOURCE")],
            linkerSettings: ["sqlite3", "crypto"].map { .linkedLibrary($0) }),
        .target(
            name: "CDCMTK", path: "Sources/CDCMTK",
            cxxSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror"])],
            linkerSettings: ["dcmnet", "dcmdata", "oflog", "ofstd", "ssl", "crypto"].map { .linkedLibrary($0) }),
        .target(
            name: "CCodecs", path: "Sources/CCodecs",
            cxxSettings: [.unsafeFlags(["-Wall", "-Wextra", "-Werror", "-O2", "-isystem", "/usr/include/freetype2"])],
            linkerSettings: [
                "freetype", "jpeg", "png", "gif", "openh264", "lcms2", "openjp2", "openjph", "dcmjpeg", "dcmdata",
                "oflog",
                "ofstd", "z",
            ]
            .map { .linkedLibrary($0) }),

        // Tools.
        .target(
            name: "DICOM", dependencies: ["CZlib", "CExpat"], exclude: ["Dictionary/generate.py", "Names/generate.py"],
            swiftSettings: strict),
        .target(
            name: "Toolkit", dependencies: ["CDCMTK", "DICOM"],
            swiftSettings: strict + [.strictMemorySafety()]),
        .target(name: "Codecs", dependencies: ["CCodecs", "DICOM"], swiftSettings: strict + [.strictMemorySafety()]),
        .target(name: "Media", dependencies: ["DICOM", "CArchive"], swiftSettings: strict),
        .target(
            name: "Database",
            dependencies: [
                "CSealedSQLite", "Keys", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(name: "Keys", dependencies: ["COpenSSL"], swiftSettings: strict),
        .target(name: "BlobStore", dependencies: ["Keys", "COpenSSL"], swiftSettings: strict),
        .target(name: "Queue", dependencies: ["Database", "Keys"], swiftSettings: strict),
        .target(name: "Audit", dependencies: ["COpenSSL", "Keys"], swiftSettings: strict),
        .target(name: "Telemetry", swiftSettings: strict),
        .target(name: "SFTP", swiftSettings: strict),
        .target(
            name: "Reporting",
            dependencies: [
                "Audit", "Keys", "COpenSSL", "Telemetry", .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .target(
            name: "HTTP",
            dependencies: [
                "COpenSSL", "CZlib", "CZstd", "Keys", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
            ],
            swiftSettings: strict),

        // Rooms.
        .target(name: "Catalog", dependencies: ["DICOM", "Database", "Keys"], swiftSettings: strict),
        .target(
            name: "Access", dependencies: ["Audit", "DICOM", "Database", "Keys", "COpenSSL"], swiftSettings: strict),
        .target(
            name: "Archive",
            dependencies: [
                "DICOM", "Toolkit", "BlobStore", "Keys", "Catalog", "Database", "Access", "Audit", "Telemetry",
            ],
            swiftSettings: strict),

        .target(
            name: "Release", dependencies: ["Access", "Archive", "Catalog", "Deidentification", "DICOM", "Keys"],
            swiftSettings: strict),

        .target(
            name: "Routing",
            dependencies: [
                "DICOM", "Archive", "Catalog", "Queue", "Database", "Keys",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .target(
            name: "Deidentification", dependencies: ["DICOM", "Keys", "COpenSSL"], exclude: ["Tables/generate.py"],
            swiftSettings: strict),

        // Doors.
        .target(
            name: "DIMSE",
            dependencies: [
                "DICOM", "Toolkit", "Archive", "Access", "Audit", "Telemetry", "Queue", "Release", "Routing", "Keys",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .target(
            name: "DICOMweb",
            dependencies: [
                "DICOM", "Archive", "Access", "Audit", "Catalog", "Database", "HTTP", "Keys", "Media", "Release",
                "Telemetry",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),

        .target(
            name: "Transfer",
            dependencies: [
                "DICOM", "Access", "Archive", "Audit", "Catalog", "CZstd", "Database", "Deidentification", "HTTP",
                "Keys", "Queue", "Release", "Telemetry",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .target(
            name: "FileChannel",
            dependencies: [
                "DICOM", "SFTP", "Archive", "Access", "Audit", "Catalog", "Keys", "Release", "Telemetry",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .target(
            name: "Viewer",
            dependencies: [
                "DICOM", "Access", "Audit", "HTTP", "CQRencode", .product(name: "Hummingbird", package: "hummingbird"),
            ],
            resources: [.embedInCode("Assets")], swiftSettings: strict),

        .target(
            name: "Control", dependencies: ["Access", "Audit", "Keys", "Queue", "Routing", "Transfer"],
            swiftSettings: strict),

        // Roof.
        .executableTarget(
            name: "huizhen",
            dependencies: [
                "DICOM", "Toolkit", "Codecs", "Archive", "Access", "Audit", "Catalog", "Keys", "BlobStore", "DIMSE",
                "Control", "Deidentification", "DICOMweb", "FileChannel", "Transfer", "Viewer", "HTTP", "Telemetry",
                "Queue", "Release", "Routing",
                "Media",
                "CArchive",
                "Reporting",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),

        .testTarget(name: "DICOMTests", dependencies: ["DICOM"], swiftSettings: strict),
        .testTarget(name: "MediaTests", dependencies: ["Media", "DICOM"], swiftSettings: strict),
        .testTarget(name: "ToolkitTests", dependencies: ["Toolkit"], swiftSettings: strict),
        .testTarget(
            name: "CodecsTests", dependencies: ["Codecs", "DICOM", "Deidentification", "Keys", "huizhen"],
            exclude: ["one-sided-images.tsv"], swiftSettings: strict),
        .testTarget(name: "BlobStoreTests", dependencies: ["BlobStore", "Keys"], swiftSettings: strict),
        .testTarget(
            name: "Scenarios", dependencies: ["huizhen", "DICOM", "Access", "Audit", "Reporting"],
            path: "Tests/Scenarios",
            exclude: ["Peers", "access-acts.tsv", "access-arriving.tsv", "access-matrix.tsv", "refused-images.tsv"],
            swiftSettings: strict),
        // The kept cases of Tests/Fuzz, with the code that fuzzes.
        .testTarget(
            name: "FuzzTests",
            dependencies: [
                "Access", "BlobStore", "Catalog", "CDCMTK", "Codecs", "Control", "Database", "DICOM", "DICOMweb",
                "DIMSE", "Deidentification", "HTTP", "Keys", "SFTP", "Toolkit",
            ],
            path: "Tests/Fuzz/Targets", swiftSettings: strict),
        .testTarget(
            name: "DeidentificationTests", dependencies: ["Deidentification", "DICOM", "Keys"],
            exclude: ["confidentiality.tsv"], swiftSettings: strict),
        .testTarget(name: "DatabaseTests", dependencies: ["Database", "Keys"], swiftSettings: strict),
        .testTarget(name: "CatalogTests", dependencies: ["Catalog", "Database", "DICOM"], swiftSettings: strict),
        .testTarget(name: "AuditTests", dependencies: ["Audit", "Keys"], swiftSettings: strict),
        .testTarget(
            name: "ReportingTests",
            dependencies: ["Reporting", "Audit", "Keys", "Telemetry", .product(name: "Logging", package: "swift-log")],
            swiftSettings: strict),
        .testTarget(
            name: "AccessTests", dependencies: ["Access", "Audit", "Database", "Keys", "COpenSSL"],
            swiftSettings: strict),
        .testTarget(name: "QueueTests", dependencies: ["Queue", "Keys"], swiftSettings: strict),
        .testTarget(
            name: "RoutingTests",
            dependencies: [
                "Routing", "Archive", "Catalog", "DICOM", "Keys", "Queue",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "HTTPTests", dependencies: ["HTTP", .product(name: "Hummingbird", package: "hummingbird")],
            swiftSettings: strict),
        .testTarget(
            name: "DICOMwebTests",
            dependencies: [
                "DICOMweb", "DICOM", "Catalog", "HTTP", "Access", "Audit", "Archive", "Keys", "Release", "Telemetry",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ViewerTests", dependencies: ["Viewer", "Access", "Audit", "HTTP", "Keys"], swiftSettings: strict),
        .testTarget(name: "SFTPTests", dependencies: ["SFTP"], swiftSettings: strict),
        .testTarget(
            name: "FileChannelTests", dependencies: ["FileChannel", "SFTP", "Access", "Archive", "Keys", "Release"],
            swiftSettings: strict),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"], swiftSettings: strict),
        .testTarget(name: "ControlTests", dependencies: ["Control", "Access"], swiftSettings: strict),
        .testTarget(
            name: "ArchiveTests",
            dependencies: ["Archive", "BlobStore", "Catalog", "Database", "DICOM", "Keys", "CZlib"],
            swiftSettings: strict),
        .testTarget(
            name: "TransferTests",
            dependencies: [
                "Transfer", "Access", "Archive", "Audit", "Catalog", "Database", "DICOM", "HTTP", "Keys", "Queue",
                "Telemetry",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "DIMSETests",
            dependencies: [
                "DIMSE", "Toolkit", "Archive", "Access", "Audit", "Catalog", "DICOM", "Telemetry", "Queue", "Release",
                "Routing",
                "Keys",
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
    ],
    cxxLanguageStandard: .cxx17
)
