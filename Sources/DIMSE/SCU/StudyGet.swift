import DICOM

/// C-GET of all that a query names, whatever it is made of. PS3.4 §C.4.3.
///
/// Over C-GET the other side can send only objects whose SOP classes were proposed before it is asked. So it is asked
/// first what the studies are made of; where it does not tell, every storage class is proposed, over as many
/// associations as that takes, since one has 128 presentation contexts at most. PS3.8 §7.1.1.13.
public struct StudyGet {
    /// Most SOP classes that are believed to be in the studies of one query.
    static let classLimit = 1000

    private let target: Requester.Target
    private let keys: Dataset
    private let model: Requester.Model
    private let syntaxes: [String]
    /// Contexts for objects in one association, which also needs one for the request.
    private let contextLimit: Int

    /// - Parameter syntaxes: transfer syntaxes to take objects in.
    public init(_ target: Requester.Target, keys: Dataset, model: Requester.Model, syntaxes: [String]) {
        self.init(target, keys: keys, model: model, syntaxes: syntaxes, contextLimit: ObjectSender.contextLimit - 1)
    }

    init(
        _ target: Requester.Target, keys: Dataset, model: Requester.Model, syntaxes: [String], contextLimit: Int
    ) {
        self.target = target
        self.keys = keys
        self.model = model
        self.syntaxes = syntaxes
        self.contextLimit = contextLimit
    }

    /// Gets the objects.
    ///
    /// - Parameter sopClasses: what to ask for; empty: what the studies hold.
    /// - Throws: as `Requester.get`; what came before stays with `receive`.
    public func run(
        sopClasses: [String] = [], progress: (SubOperationCounts) -> Void, receive: Requester.Reception
    ) throws(DIMSEError) -> Retrieved {
        var wanted = sopClasses
        if wanted.isEmpty { wanted = try classesHeld() }
        if wanted.isEmpty { wanted = Self.everyClass }
        var all: Retrieved?
        for start in stride(from: 0, to: wanted.count, by: contextLimit) {
            let part = wanted[start..<min(start + contextLimit, wanted.count)]
            let one = try get(Array(part), progress: progress, receive: receive)
            if all == nil { all = one } else { all?.add(one) }
            if one.status == .cancelled || all?.counts.failed == 0 { break }
        }
        return all ?? Retrieved(status: .success, counts: SubOperationCounts())
    }

    private func get(
        _ classes: [String], progress: (SubOperationCounts) -> Void, receive: Requester.Reception
    ) throws(DIMSEError) -> Retrieved {
        let requester = try Requester(
            target, sopClasses: [model == .studyRoot ? SOPClass.studyRootGet : SOPClass.patientRootGet],
            receiving: classes.map { ($0, syntaxes) })
        do throws(DIMSEError) {
            let result = try requester.get(keys, model: model, progress: progress, receive: receive)
            requester.close()
            return result
        } catch {
            requester.abort()
            throw error
        }
    }

    /// Images first: with them most studies are complete after one association.
    private static let everyClass = SOPClass.storage.keys.sorted {
        let (first, second) = (SOPClass.isImage($0), SOPClass.isImage($1))
        return first == second ? $0 < $1 : first
    }

    /// What the other side says the studies hold (0008,0062); empty when it does not say.
    func classesHeld() throws(DIMSEError) -> [String] {
        // A search needs the key that the request's own level hangs on, or it would be about everything.
        let key: Tag = model == .studyRoot ? .studyInstanceUID : .patientID
        guard keys.strings(key).contains(where: { !$0.isEmpty }) else { return [] }
        var question = Dataset()
        question.set(.queryRetrieveLevel, .CS, strings: ["STUDY"])
        for tag in [Tag.patientID, .studyInstanceUID] {
            question.set(tag, Dictionary.vr(of: tag) ?? .LO, strings: keys.strings(tag))
        }
        question.set(.sopClassesInStudy, .UI, strings: [])
        var classes: Set<String> = []
        var tells = true
        let status: Status
        do throws(DIMSEError) {
            let requester = try Requester(
                target, sopClasses: [model == .studyRoot ? SOPClass.studyRootFind : SOPClass.patientRootFind])
            defer { requester.close() }
            status = try requester.find(question, model: model) { match in
                let held = match.strings(.sopClassesInStudy).filter(Self.isClass)
                if held.isEmpty { tells = false }
                classes.formUnion(held)
                return tells && classes.count <= Self.classLimit
            }
        } catch {
            // It may give objects and answer no questions.
            if case .notAccepted = error { return [] }
            throw error
        }
        return status.isSuccess && tells && classes.count <= Self.classLimit ? classes.sorted() : []
    }

    /// Whether a value can be proposed. PS3.5 §9.1.
    private static func isClass(_ value: String) -> Bool {
        (1...64).contains(value.utf8.count) && value.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
    }
}
