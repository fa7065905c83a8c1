import Access
import Archive
import Audit
import DICOM
import HTTP
import Hummingbird
import NIOCore

extension Door {
    /// The Storage Commitment Service. PS3.18 §13.
    func addCommitment(_ group: RouterGroup<WebContext>) {
        group.post("commitment-requests/:transaction") { [self] request, context in
            let caller = try caller(context)
            _ = try caller.visibility(.commit)
            let permit = caller.permit
            let form = try ModelForm(accepting: try Self.accepted(request))
            let transaction = try Self.transaction(context, permit)
            let references = try await Self.references(request)
            try await pool.run {
                try caller.note(
                    .accessed, [AuditObject(.query, "storage commitment")], instanceCount: references.count)
            }
            guard permit.kind == .localOperator || !permit.institution.isEmpty else {
                throw try caller.refusal(.commit, "who is of no institution has sent nothing", [])
            }
            let work = CommitmentBoard.Unfinished(
                transaction: transaction,
                institution: permit.kind == .localOperator ? CommitmentBoard.Unfinished.everybody : permit.institution,
                references: references)
            let waits = references.count <= CommitmentBoard.directCount
            try await pool.run { [commitments] in
                try commitments.begin(transaction, accepted: waits ? nil : work)
            }
            if waits {
                return ModelBody.single(try await commit(work).dataset, form, status: .ok)
            }
            // Ends with the pool at the latest.
            Task { _ = try? await commit(work) }
            return Response(status: .accepted, headers: [.retryAfter: "5"])
        }
        group.get("commitment-requests/:transaction") { [self] request, context in
            let caller = try caller(context)
            _ = try caller.visibility(.commit)
            let permit = caller.permit
            let form = try ModelForm(accepting: try Self.accepted(request))
            let transaction = try Self.transaction(context, permit)
            let state = try await pool.run { [commitments] in
                try caller.note(.accessed, [AuditObject(.query, "storage commitment result")])
                return try commitments.state(of: transaction)
            }
            switch state {
            case .done(let result): return ModelBody.single(result.dataset, form, status: .ok)
            case .working: return Response(status: .accepted, headers: [.retryAfter: "5"])
            case nil: throw Problem(.notFound, "There is no such request, or its result is not kept any more.")
            }
        }
    }

    /// Takes up what the last run accepted and did not finish.
    public func resumeCommitments() throws {
        for work in try commitments.takeUnfinished() { Task { _ = try? await commit(work) } }
    }

    /// Does what was begun, and keeps its result.
    private func commit(_ work: CommitmentBoard.Unfinished) async throws -> CommitmentResult {
        do {
            let result = try await CommitmentWork(
                archive: archive, pool: pool, references: work.references,
                institution: work.institution == CommitmentBoard.Unfinished.everybody ? nil : work.institution
            ).result()
            try await pool.run { [commitments] in
                try commitments.end(work.transaction, institution: work.institution, result)
            }
            return result
        } catch {
            logger.error("storage commitment is not done", metadata: ["reason": "\(error)"])
            commitments.giveUp(work.transaction)
            throw error
        }
    }

    /// Who asks is part of the name: nobody learns of the requests of others.
    private static func transaction(_ context: WebContext, _ permit: Permit) throws -> String {
        guard let uid = context.parameters.get("transaction"), ResourcePath.isUID(uid) else {
            throw Problem(.badRequest, "The path wants a UID as the transaction: 1 to 64 digits and dots.")
        }
        return "\(permit.institution)\u{1F}\(permit.user ?? "")\u{1F}\(uid)"
    }

    private static func references(_ request: Request) async throws -> [CommitmentBoard.Reference] {
        let form: ModelForm
        switch request.headers[.contentType].flatMap({ MediaRange($0) })?.essence {
        case "application/dicom+json", "application/json": form = .json
        case "application/dicom+xml": form = .xml
        default:
            throw Problem(.unsupportedMediaType, "A request is application/dicom+json or application/dicom+xml.")
        }
        var text: [UInt8] = []
        for try await piece in request.body {
            guard text.count + piece.readableBytes <= CommitmentBoard.byteCountLimit else {
                throw Problem(.contentTooLarge, "The request has more than \(CommitmentBoard.byteCountLimit) bytes.")
            }
            text += piece.readableBytesView
        }
        var model: ModelDataset?
        do throws(ModelError) {
            switch form {
            case .json: try JSONModelReader.read(text) { model = model ?? $0 }
            case .xml:
                let reader = try XMLModelReader()
                try text.withUnsafeBufferPointer { buffer throws(ModelError) in
                    try reader.feed(UnsafeRawBufferPointer(buffer))
                }
                model = try reader.finish()
            }
        } catch { throw Problem(.badRequest, "The request cannot be read: \(error).") }
        guard let model, let references = CommitmentBoard.references(of: model.dataset) else {
            throw Problem(
                .badRequest,
                "A request names 1 to \(CommitmentBoard.referenceLimit) objects in Referenced SOP Sequence (0008,1199)."
            )
        }
        return references
    }
}

/// Asks the archive about references, some at a time.
private struct CommitmentWork: Sendable {
    let archive: Archive
    let pool: BlockingPool
    let references: [CommitmentBoard.Reference]
    /// Whose objects are looked at; nil for everybody's.
    let institution: String?

    func result() async throws -> CommitmentResult {
        var result = CommitmentResult(references: references, outcomes: [])
        // However often one is named, its bytes are read once.
        var seen: [CommitmentBoard.Reference: Commitment] = [:]
        for start in stride(from: 0, to: references.count, by: CommitmentBoard.stepCount) {
            let step = Array(references[start..<min(start + CommitmentBoard.stepCount, references.count)])
            let new = Set(step.filter { seen[$0] == nil })
            seen.merge(
                try await pool.run { [archive, institution] in
                    try new.map {
                        (
                            $0,
                            try archive.commitment(
                                sopClassUID: $0.sopClassUID, sopInstanceUID: $0.sopInstanceUID,
                                institution: institution)
                        )
                    }
                }
            ) { first, _ in first }
            result.outcomes += step.compactMap { seen[$0] }
        }
        return result
    }
}
