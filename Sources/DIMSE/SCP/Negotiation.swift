import Access
import DICOM
import Toolkit

/// Decides about proposed presentation contexts. Pure. PS3.8 §9.3.3.2, PS3.7 §D.3.
struct Negotiation {
    let services: Set<Peer.Service>
    let acceptsUnknownSOPClasses: Bool
    var queryExtensions: QueryExtensions = []

    static let queryModels: [String: Peer.Service] = [
        SOPClass.patientRootFind: .find, SOPClass.studyRootFind: .find,
        SOPClass.patientRootMove: .move, SOPClass.studyRootMove: .move,
        SOPClass.patientRootGet: .get, SOPClass.studyRootGet: .get,
    ]

    /// Everything but storage. Who may store may ask for commitment.
    static let messageServices = queryModels.merging([
        SOPClass.verification: .echo, SOPClass.storageCommitmentPushModel: .store,
    ]) { first, _ in first }

    /// Whether what comes on a context of this abstract syntax is to be stored.
    static func isStorage(_ abstractSyntax: String) -> Bool { messageServices[abstractSyntax] == nil }

    /// Of DICOM's own UIDs only those where storage classes are registered: the others are other services.
    private static func mayBeStorage(_ abstractSyntax: String) -> Bool {
        !abstractSyntax.hasPrefix("1.2.840.10008.") || abstractSyntax.hasPrefix("1.2.840.10008.5.1.4.1.1.")
    }

    /// Message syntaxes in the order we like them.
    static let messageSyntaxes = [
        TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid,
        TransferSyntax.explicitVRBigEndian.uid,
    ]

    func answers(to proposed: [PresentationContext]) -> [ContextAnswer] { proposed.map(answer) }

    private func answer(to context: PresentationContext) -> ContextAnswer {
        if let service = Self.messageServices[context.abstractSyntax] {
            guard services.contains(service) else { return refuse(context, .serviceNotPermitted) }
            guard let syntax = Self.messageSyntaxes.first(where: context.transferSyntaxes.contains) else {
                return refuse(context, .noTransferSyntax)
            }
            // Only ever provider of these: a requester that offers to provide them is told so.
            guard context.role != .scp else { return refuse(context, .roleNotTaken) }
            return .accept(
                context.id, transferSyntax: syntax, role: context.role == .default ? .default : .scu,
                extendedNegotiation: answer(to: context.extendedNegotiation, sopClass: context.abstractSyntax))
        }
        guard isStorage(context) else { return refuse(context, .notKept) }
        let isForRetrieval = context.role == .scp
        guard let syntax = storageSyntax(context.transferSyntaxes, isForRetrieval: isForRetrieval) else {
            return refuse(context, .noTransferSyntax)
        }
        let information = context.extendedNegotiation == nil ? nil : StorageExtension.information
        func accept(_ role: PresentationContext.Role) -> ContextAnswer {
            .accept(context.id, transferSyntax: syntax, role: role, extendedNegotiation: information)
        }
        // A requester in the SCP role wants objects sent to it by C-GET. PS3.4 §C.5.
        switch context.role {
        case .scp where services.contains(.get): return accept(.scp)
        case .both where services.contains(.get): return accept(services.contains(.store) ? .both : .scp)
        case .scp: return refuse(context, .serviceNotPermitted)
        default:
            guard services.contains(.store) else { return refuse(context, .serviceNotPermitted) }
            return accept(context.role == .both ? .scu : context.role)
        }
    }

    private func refuse(_ context: PresentationContext, _ why: ContextRefusal) -> ContextAnswer {
        .refuse(context.id, why.result)
    }

    /// Whether objects of this SOP class are kept: it is known, or declared to be storage (PS3.7 §D.3.3.6), or
    /// everything is.
    private func isStorage(_ context: PresentationContext) -> Bool {
        let uid = context.abstractSyntax
        if SOPClass.storage[uid] != nil { return true }
        guard acceptsUnknownSOPClasses || context.serviceClassUID == StorageExtension.serviceClassUID else {
            return false
        }
        return Self.mayBeStorage(uid)
    }

    private func answer(to information: [UInt8]?, sopClass: String) -> [UInt8]? {
        guard let information else { return nil }
        let wanted = QueryExtensions(information, sopClass: sopClass)
        return wanted.intersection(queryExtensions).information(sopClass: sopClass, fieldCount: information.count)
    }

    /// The first syntax proposed, which is the sender's choice; among the uncompressed ones explicit VR little
    /// endian, because it alone keeps the VR of private attributes and is read fastest.
    ///
    /// - Parameter isForRetrieval: whether objects go out on this context only. Then it is one that any object can be
    ///   had in without loss, if there is such a one.
    private func storageSyntax(_ proposed: [String], isForRetrieval: Bool) -> String? {
        var storable = proposed.filter { UIDs.isValid($0) && TransferSyntax(uid: $0).isStorable }
        if isForRetrieval, case let lossless = TransferSyntax.inOrderOfRewriting(storable), !lossless.isEmpty {
            storable = storable.filter(lossless.contains)
        }
        guard let first = storable.first else { return nil }
        return Self.messageSyntaxes.contains(first)
            ? Self.messageSyntaxes.first(where: storable.contains) ?? first : first
    }
}
