import DICOM

/// What became of the references of one request of storage commitment. PS3.18 Annex J.2.
struct CommitmentResult: Sendable, Equatable {
    var references: [CommitmentBoard.Reference]
    /// Failure Reason (0008,1197) of each, nil where it is committed to; empty before anything was looked at.
    var failures: [UInt16?]

    /// As the caller gets it.
    var dataset: Dataset {
        var committed: [Dataset] = []
        var failed: [Dataset] = []
        for (reference, failure) in zip(references, failures) {
            var item = reference.item
            guard let failure else {
                committed.append(item)
                continue
            }
            item.set(.failureReason, .US, ints: [Int(failure)])
            failed.append(item)
        }
        var result = Dataset()
        if !failed.isEmpty { result.set(.failedSOPSequence, items: failed) }
        if !committed.isEmpty { result.set(.referencedSOPSequence, items: committed) }
        return result
    }

    /// As it is kept: a line a reference, its failure behind it.
    var content: [UInt8] {
        var result: [UInt8] = []
        for (index, reference) in references.enumerated() {
            var line = reference.sopClassUID + " " + reference.sopInstanceUID
            if failures.indices.contains(index), let failure = failures[index] { line += " \(failure)" }
            result += line.utf8
            result.append(UInt8(ascii: "\n"))
        }
        return result
    }
}

extension CommitmentResult {
    init(content: [UInt8]) {
        references = []
        failures = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " ")).map { String(decoding: $0, as: UTF8.self) }
            guard fields.count >= 2 else { continue }
            references.append(CommitmentBoard.Reference(sopClassUID: fields[0], sopInstanceUID: fields[1]))
            failures.append(fields.count > 2 ? UInt16(fields[2]) : nil)
        }
    }
}
