import DICOM
import Keys

@testable import Deidentification

/// Objects that tests make, and what becomes of them.
enum Sample {
    static let ct = "1.2.840.10008.5.1.4.1.1.2"
    static let secondaryCapture = "1.2.840.10008.5.1.4.1.1.7"
    static let comprehensiveReport = "1.2.840.10008.5.1.4.1.1.88.33"
    static let encapsulatedPDF = "1.2.840.10008.5.1.4.1.1.104.1"

    /// The smallest object of a class that is accepted.
    static func object(_ sopClass: String = ct, uid: String = "1.2.826.0.1.3680043.9.1.1") -> Dataset {
        var result = Dataset()
        result.set(.sopClassUID, .UI, string: sopClass)
        result.set(.sopInstanceUID, .UI, string: uid)
        result.set(.studyInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.1.2")
        result.set(.seriesInstanceUID, .UI, string: "1.2.826.0.1.3680043.9.1.3")
        result.set(.modality, .CS, string: sopClass == ct ? "CT" : "OT")
        result.set(.patientID, .LO, string: "PID-0815")
        result.set(.patientName, .PN, string: "Zhang^Wei=张^伟")
        result.set(.patientBirthDate, .DA, string: "19640703")
        result.set(.studyDate, .DA, string: "20260314")
        return result
    }

    /// With four pixels of sixteen bits.
    static func image(_ sopClass: String = ct, uid: String = "1.2.826.0.1.3680043.9.1.1") -> Dataset {
        var result = object(sopClass, uid: uid)
        result.set(.imageType, .CS, strings: ["ORIGINAL", "PRIMARY", "AXIAL"])
        result.set(.samplesPerPixel, .US, ints: [1])
        result.set(.photometricInterpretation, .CS, string: "MONOCHROME2")
        result.set(.rows, .US, ints: [2])
        result.set(.columns, .US, ints: [2])
        result.set(.bitsAllocated, .US, ints: [16])
        result.set(.bitsStored, .US, ints: [12])
        result.set(.highBit, .US, ints: [11])
        result.set(.pixelRepresentation, .US, ints: [0])
        result.set(.pixelData, .OW, bytes: [1, 0, 2, 0, 3, 0, 4, 0])
        return result
    }

    /// Of fixed bytes, so that a test's results are the same in every run.
    static func key(_ seed: UInt8 = 7) -> ProjectKey {
        let bytes = (0..<32).map { UInt8($0) &* 31 &+ seed }
        return ProjectKey(bytes.withUnsafeBytes { SymmetricKey(copying: $0)! })
    }

    static func profile(_ options: Set<ConfidentialityOption>) throws -> Profile {
        try Profile(name: "test", options: options)
    }
}

/// What came out.
final class Collected: DeidentificationOutput {
    var header: OutputHeader?
    var bytes: [UInt8] = []

    func begin(_ header: OutputHeader) throws { self.header = header }
    func write(_ bytes: UnsafeRawBufferPointer) throws { self.bytes += bytes }

    func dataset() throws -> Dataset {
        try Dataset.parse(bytes, transferSyntax: header?.transferSyntax ?? .explicitVRLittleEndian)
    }
}

struct Outcome {
    var output: Collected
    var report: InstanceReport

    var dataset: Dataset { get throws { try output.dataset() } }
}

extension Deidentifier {
    /// Runs a dataset through, in pieces of one size.
    func run(
        _ bytes: [UInt8], _ transferSyntax: TransferSyntax = .explicitVRLittleEndian, pieceByteCount: Int = 1 << 20
    ) throws -> Outcome {
        let output = Collected()
        var instance = instance(transferSyntax: transferSyntax, output: output)
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + pieceByteCount)
            try instance.feed(Array(bytes[start..<end]))
            start = end
        }
        return Outcome(output: output, report: try instance.finish())
    }

    func run(_ dataset: Dataset) throws -> Outcome {
        try run(dataset.encoded(transferSyntax: .explicitVRLittleEndian))
    }

    /// Why an object is held back; nil when it passes.
    func reason(_ bytes: [UInt8], _ transferSyntax: TransferSyntax = .explicitVRLittleEndian) -> Quarantine? {
        do { _ = try run(bytes, transferSyntax) } catch DeidentificationError.quarantined(let reason) {
            return reason
        } catch {
        }
        return nil
    }

    func reason(_ dataset: Dataset) -> Quarantine? { reason(dataset.encoded(transferSyntax: .explicitVRLittleEndian)) }
}
