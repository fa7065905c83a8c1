import Foundation
import HTTP
import Hummingbird
import Testing

@testable import DICOMweb

/// What the door says of itself is what it does.
@Suite struct CapabilitiesTests {
    @Test func describesEachRouteOnce() {
        let names = WebRoute.all.map { "\($0.method) \($0.path)" }
        #expect(Set(names).count == names.count)
    }

    @Test func describesEveryRouteInOpenAPI() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(Capabilities.openAPI())) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        for route in WebRoute.all {
            let operations = try #require(paths[route.path.isEmpty ? "/" : route.path])
            let operation = try #require(operations[route.method.lowercased()] as? [String: Any])
            let parameters = try #require(operation["parameters"] as? [[String: Any]])
            // Keys stand in one place for all routes.
            let keys = parameters.compactMap { $0["$ref"] as? String }
            #expect(keys == route.parameters.filter(\.isKey).map { "#/components/parameters/" + $0.name })
            #expect(keys.isEmpty == !route.about.hasPrefix("Searches"))
            #expect(
                parameters.filter { $0["in"] as? String == "path" }.compactMap { $0["name"] as? String }
                    == route.pathNames)
            let responses = try #require(operation["responses"] as? [String: Any])
            for (status, _) in route.answers { #expect(responses[String(status)] != nil) }
            #expect((operations["servers"] != nil) == route.root.isEmpty)
        }
        let identifiers = paths.values.flatMap(\.values).compactMap {
            ($0 as? [String: Any])?["operationId"] as? String
        }
        #expect(Set(identifiers).count == WebRoute.all.count)
    }

    @Test func namesTheKeysOfEachLevelAndNoneThatThePathNames() throws {
        func keys(_ path: String) throws -> Set<String> {
            let route = try #require(WebRoute.all.first { $0.path == path })
            return Set(route.parameters.filter(\.isKey).map(\.name))
        }
        #expect(try keys("/studies").isSuperset(of: ["PatientName", "StudyInstanceUID", "ModalitiesInStudy"]))
        #expect(try keys("/studies").isDisjoint(with: ["Modality", "SOPInstanceUID", "RequestAttributesSequence"]))
        #expect(try keys("/studies/{study}/series").isSuperset(of: ["Modality", "SeriesInstanceUID", "PatientID"]))
        #expect(try !keys("/studies/{study}/series").contains("StudyInstanceUID"))
        #expect(
            try keys("/studies/{study}/series/{series}/instances")
                .isDisjoint(with: ["StudyInstanceUID", "SeriesInstanceUID"]))
        #expect(try keys("/instances").contains("SOPInstanceUID"))
    }

    @Test func describesPathsAsTheyAreTaken() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(Capabilities.openAPI())) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        func takes(_ path: String, _ name: String, _ value: String) throws -> Bool {
            let operation = try #require(paths[path]?["get"] as? [String: Any])
            let parameters = try #require(operation["parameters"] as? [[String: Any]])
            let schema = try #require(parameters.first { $0["name"] as? String == name }?["schema"] as? [String: Any])
            return try value.contains(Regex(try #require(schema["pattern"] as? String)))
        }
        let instance = "/studies/{study}/series/{series}/instances/{instance}"
        for list in ["1", "3-5", "1,3-5,2"] { #expect(try takes(instance + "/frames/{frames}", "frames", list)) }
        for list in ["0", "1-", "1-2-3", ",1"] { #expect(try !takes(instance + "/frames/{frames}", "frames", list)) }
        for path in ["7FE00010", "54000100/0/54001010"] {
            #expect(try takes(instance + "/bulkdata/{path}", "path", path))
        }
        for path in ["7FE0001", "54000100/0", "54000100/x/54001010"] {
            #expect(try !takes(instance + "/bulkdata/{path}", "path", path))
        }
    }

    @Test func saysWhatAnswersAre() throws {
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(Capabilities.openAPI())) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        for (path, operations) in paths {
            for case let operation as [String: Any] in operations.values {
                let responses = try #require(operation["responses"] as? [String: [String: Any]])
                for (status, response) in responses {
                    for (type, content) in response["content"] as? [String: [String: Any]] ?? [:] {
                        #expect(content["schema"] != nil, "\(path) \(status) \(type)")
                    }
                }
            }
        }
    }

    @Test func describesEveryRouteInWADL() {
        let text = String(decoding: Capabilities.wadl(base: "http://localhost/dicom-web"), as: UTF8.self)
        #expect(text.split(separator: "<method ").count == WebRoute.restful.count + 1)
    }
}

/// Which transfer syntax a part of pixel data is in.
@Suite struct BulkMediaTypeTests {
    private func type(_ text: String) throws -> MediaRange { try #require(MediaRange(text)) }

    @Test func readsTheProcessOffAFrame() {
        func frame(_ marker: UInt8, selection: UInt8 = 1) -> [UInt8] {
            [0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 0, 0, 0xFF, marker, 0, 4, 0, 0, 0xFF, 0xDA, 0, 8, 1, 0, 0, selection, 0, 0]
        }
        #expect(BulkMediaType.jpeg(frame(0xC0)) == .jpegBaseline)
        #expect(BulkMediaType.jpeg(frame(0xC1)) == .jpegExtended)
        #expect(BulkMediaType.jpeg(frame(0xC3)) == .jpegLosslessSV1)
        #expect(BulkMediaType.jpeg(frame(0xC3, selection: 4)) == .jpegLossless)
        #expect(BulkMediaType.jpeg(frame(0xC2)) == nil)
        for count in 0..<8 { #expect(BulkMediaType.jpeg(Array(frame(0xC0).prefix(count))) == nil) }
    }

    @Test func takesWhatFitsTheMediaType() throws {
        #expect(try BulkMediaType.syntax(type("image/jls"), head: []) == .jpegLSLossless)
        #expect(try BulkMediaType.syntax(type("application/octet-stream"), head: []) == .explicitVRLittleEndian)
        #expect(
            try BulkMediaType.syntax(type("image/jp2; transfer-syntax=1.2.840.10008.1.2.4.91"), head: []) == .jpeg2000)
        #expect(
            try BulkMediaType.syntax(type("application/octet-stream; transfer-syntax=1.2.840.10008.1.2"), head: [])
                == .explicitVRLittleEndian)
        for text in [
            "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.91", "text/plain",
            "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.2",
            "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1.99", "image/jpeg; transfer-syntax=1.2.3",
        ] { #expect(try BulkMediaType.syntax(type(text), head: []) == nil) }
    }

    @Test func findsTheCodestreamInAFile() throws {
        let signature: [UInt8] = [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 13, 10, 0x87, 10]
        let file = signature + [0, 0, 0, 16] + Array("ftyp".utf8) + [0, 0, 0, 0, 0, 0, 0, 0]
        let whole = file + [0, 0, 0, 0] + Array("jp2c".utf8) + [0xFF, 0x4F, 0xFF, 0x51, 0, 0, 0, 0]
        let found = try #require(BulkMediaType.codestream(whole, byteCount: UInt64(whole.count)))
        #expect(found.offset == 36)
        #expect(found.byteCount == 8)
        #expect(BulkMediaType.codestream([0xFF, 0x4F, 0xFF, 0x51], byteCount: 4) == nil)
        #expect(BulkMediaType.codestream(signature + [0xFF, 0xFF, 0xFF, 0xFF] + file, byteCount: 48) == nil)
    }
}
