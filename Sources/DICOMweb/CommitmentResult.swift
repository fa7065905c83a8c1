import Archive
import DICOM

/// What became of the references of one request of storage commitment. PS3.18 Annex J.2.
struct CommitmentResult: Sendable, Equatable {
    var references: [CommitmentBoard.Reference]
    /// What became of each; empty before anything was looked at.
    var outcomes: [Commitment]

    /// As the caller gets it.
    var dataset: Dataset {
        var committed: [Dataset] = []
        var failed: [Dataset] = []
        for (reference, outcome) in zip(references, outcomes) {
            var item = reference.item
            switch outcome {
            case .here: committed.append(item)
            case .elsewhere(let aeTitle):
                item.set(.retrieveAETitle, .AE, strings: [aeTitle])
                committed.append(item)
            case .failed(let failure):
                item.set(.failureReason, .US, ints: [Int(failure.rawValue)])
                failed.append(item)
            }
        }
        var result = Dataset()
        if !failed.isEmpty { result.set(.failedSOPSequence, items: failed) }
        if !committed.isEmpty { result.set(.referencedSOPSequence, items: committed) }
        return result
    }

    /// As it is kept: a line a reference, behind it the number of its failure or, after an @, who holds it.
    var content: [UInt8] {
        var result: [UInt8] = []
        for (index, reference) in references.enumerated() {
            var line = reference.sopClassUID + " " + reference.sopInstanceUID
            if outcomes.indices.contains(index) {
                switch outcomes[index] {
                case .here: break
                case .elsewhere(let aeTitle): line += " @" + aeTitle
                case .failed(let failure): line += " \(failure.rawValue)"
                }
            }
            result += line.utf8
            result.append(UInt8(ascii: "\n"))
        }
        return result
    }
}

extension CommitmentResult {
    private static func outcome(_ text: String) -> Commitment {
        if text.isEmpty { return .here }
        if text.hasPrefix("@") { return .elsewhere(aeTitle: String(text.dropFirst())) }
        return .failed(UInt16(text).flatMap(CommitmentFailure.init) ?? .processingFailure)
    }

    init(content: [UInt8]) {
        references = []
        outcomes = []
        for line in content.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2).map {
                String(decoding: $0, as: UTF8.self)
            }
            guard fields.count >= 2 else { continue }
            references.append(CommitmentBoard.Reference(sopClassUID: fields[0], sopInstanceUID: fields[1]))
            outcomes.append(Self.outcome(fields.count > 2 ? fields[2] : ""))
        }
    }
}
