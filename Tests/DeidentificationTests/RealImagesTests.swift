import DICOM
import Foundation
import Testing

@testable import Deidentification

/// Real public images through every profile, where they are at hand.
@Suite struct RealImagesTests {
    /// HUIZHEN_IMAGES, else the folder beside the package; none elsewhere.
    private static let files: [String] = {
        let named = ProcessInfo.processInfo.environment["HUIZHEN_IMAGES"]
        let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let beside = package.deletingLastPathComponent().appendingPathComponent("shared/images").path
        for folder in [named, beside].compactMap({ $0 }) {
            let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
            if !names.isEmpty { return few(names.sorted()).map { folder + "/" + $0 } }
        }
        return []
    }()

    /// Some of each folder: the images of one series are alike.
    private static func few(_ names: [String]) -> [String] {
        var counts: [Substring: Int] = [:]
        return names.filter { name in
            let folder = name[..<(name.lastIndex(of: "/") ?? name.startIndex)]
            counts[folder, default: 0] += 1
            return counts[folder, default: 0] <= 12
        }
    }

    /// Larger ones add time and nothing else.
    private static let byteCountLimit = 600 << 10

    /// What of the source may stand nowhere in the result.
    private static func secrets(_ source: Dataset) -> [String] {
        var secrets: Set<String> = []
        func read(_ dataset: Dataset) {
            for element in dataset.elements {
                if case .items(let items) = element.value { for item in items { read(item) } }
                guard element.vr == .UI else { continue }
                for uid in dataset.strings(element.tag) where !WellKnownUIDs.contains(uid) && uid.utf8.count > 12 {
                    secrets.insert(uid)
                }
            }
        }
        for tag in [Tag.studyInstanceUID, .seriesInstanceUID, .sopInstanceUID, .frameOfReferenceUID] {
            for uid in source.strings(tag) where uid.utf8.count > 12 && !WellKnownUIDs.contains(uid) {
                secrets.insert(uid)
            }
        }
        for tag in [Tag.patientName, .patientID, .referringPhysicianName, .accessionNumber, .operatorsName] {
            for value in source.strings(tag) where value.utf8.count >= 8 && value.contains(where: \.isLetter) {
                secrets.insert(value)
            }
        }
        return secrets.sorted()
    }

    @Test(.enabled(if: !files.isEmpty), arguments: Profile.named)
    func nothingOfTheirIdentityComesOut(profile: Profile) throws {
        let deidentifier = Deidentifier(profile: profile, key: Sample.key())
        var (passedCount, heldCount) = (0, 0)
        for path in Self.files {
            guard let bytes = FileManager.default.contents(atPath: path), bytes.count <= Self.byteCountLimit,
                let meta = try? Part10.parseMeta([UInt8](bytes))
            else { continue }
            let dataset = [UInt8](bytes)[meta.datasetOffset...]
            let outcome: Outcome
            do {
                outcome = try deidentifier.run(Array(dataset), meta.transferSyntax)
            } catch DeidentificationError.quarantined {
                heldCount += 1
                continue
            }
            passedCount += 1
            let result = try outcome.dataset
            #expect(result.string(.patientIdentityRemoved) == "YES")
            #expect(result.elements.allSatisfy { !$0.tag.isPrivate })
            // Pixels are not text; the header's raw bytes are searched.
            let header = Canary.Haystack(Array(outcome.output.bytes.prefix(1 << 20)))
            let source = try Dataset.parse(Array(dataset), transferSyntax: meta.transferSyntax)
            for secret in Self.secrets(source) {
                #expect(!header.contains(Array(secret.utf8)), "something of \(path) came out")
            }
        }
        #expect(passedCount > heldCount)
    }
}
