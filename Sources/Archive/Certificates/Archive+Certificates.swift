import BlobStore
import Catalog
import Foundation
import Keys

extension Archive {
    /// Longest name of who orders a removal, and longest reason, in bytes.
    public static let orderTextByteCountLimit = 256

    /// The certificates of this archive.
    public var certificates: CertificateFolder { CertificateFolder(dataDirectory: directory) }

    private static let signingPurpose = "certificates"

    /// Notes an order before anything is removed by it.
    ///
    /// - Returns: the name that its certificate will have.
    func noteOrder(
        _ holdings: [Holding], study: String, by person: String, reason: String, destroyAt: Int64
    ) throws(ArchiveError) -> String {
        var objects: [OrderedObject] = []
        for holding in holdings {
            let location = BlobLocation(pack: holding.pack, offset: holding.byteOffset)
            let key: [UInt8]
            do throws(BlobError) { key = try blobs.objectKey(of: location) } catch {
                switch error {
                // What is gone already needs no certificate of this order.
                case .notFound, .keyDestroyed: continue
                // Nobody can say any more which key it was; it is destroyed all the same.
                default: key = []
                }
            }
            objects.append(
                OrderedObject(
                    sequence: holding.sequence, pack: holding.pack, byteOffset: holding.byteOffset,
                    certified: CertifiedObject(
                        sopInstanceUID: holding.sopInstanceUID, digest: holding.digest.hexadecimal,
                        byteCount: holding.byteCount, objectKey: key.hexadecimal,
                        studyKey: holding.studyKey.hexadecimal)))
        }
        let order = DestructionOrder(
            id: CertificateFolder.newName(), studyInstanceUID: study, orderedBy: Self.bounded(person),
            reason: Self.bounded(reason), orderedAt: Self.now(), destroyAt: destroyAt, objects: objects)
        try certificates.write(order)
        return order.id
    }

    /// Writes a certificate for every order that was carried out; returns how many.
    ///
    /// Packs and keys are asked, not the catalogue, whether an object is gone.
    @discardableResult
    func certify() throws(ArchiveError) -> Int {
        try certifying.withLock { (known) throws(ArchiveError) -> Int in
            var count = 0
            let orders = certificates.orders()
            let standing = Set(orders)
            known = known.filter { standing.contains($0.key) }
            for id in orders {
                // An order names all of its objects: it is read once before it is due, and then until it is carried out.
                if let destroyAt = known[id], destroyAt > Self.now() { continue }
                guard let order = certificates.order(id) else { continue }
                known[id] = order.destroyAt
                guard order.destroyAt <= Self.now() else { continue }
                if try certify(order) { count += 1 }
            }
            return count
        }
    }

    private func certify(_ order: DestructionOrder) throws(ArchiveError) -> Bool {
        let waiting = Set(
            try ask { catalog throws(CatalogError) in
                try catalog.removed(sequences: order.objects.map(\.sequence)).map(\.sequence)
            })
        var gone: [CertifiedObject] = []
        for object in order.objects {
            let location = BlobLocation(pack: object.pack, offset: object.byteOffset)
            let key = bytes(hexadecimal: object.certified.objectKey) ?? []
            if blobs.isDestroyed(location, objectKey: key), try !liesElsewhere(object) {
                gone.append(object.certified)
            } else if waiting.contains(object.sequence) {
                return false
            }
        }
        guard !gone.isEmpty else {
            certificates.dropOrder(order.id)
            return false
        }
        let studyKeys = Set(gone.map(\.studyKey)).filter { text in
            bytes(hexadecimal: text).flatMap { KeyID(bytes: $0) }.map(keys.isDestroyed) ?? false
        }
        let signed: SignedCertificate
        do throws(KeyError) {
            let certificate = DestructionCertificate(
                id: order.id, installation: try keys.status().installation.hexadecimal,
                institution: settings.institution, orderedBy: order.orderedBy, reason: order.reason,
                orderedAt: Self.text(order.orderedAt), destroyedAt: Self.text(Self.now()),
                studyInstanceUID: order.studyInstanceUID, objectCount: gone.count,
                restoredCount: order.objects.count - gone.count, objects: gone, destroyedStudyKeys: studyKeys.sorted())
            signed = try SignedCertificate(certificate, key: try signingKey())
        } catch { throw .keys(error) }
        // If this fails the order stays, and the next look tries again.
        try certificates.write(signed, id: order.id)
        return true
    }

    /// Whether bytes of an instance that compression moved, after it was restored, are still there.
    private func liesElsewhere(_ object: OrderedObject) throws(ArchiveError) -> Bool {
        let places = try ask { catalog throws(CatalogError) in try catalog.whereabouts([object.sequence]) }
        return places.contains { place in
            guard place.pack != object.pack || place.byteOffset != object.byteOffset else { return false }
            return (try? blobs.objectKey(of: BlobLocation(pack: place.pack, offset: place.byteOffset))) != nil
        }
    }

    /// Puts the public key where whoever checks a certificate finds it.
    func publishSigningKey() throws(ArchiveError) {
        let text: String
        do throws(KeyError) { text = try signingKey().publicKey().hexadecimal } catch { throw .keys(error) }
        try certificates.write(publicKey: text)
    }

    private func signingKey() throws(KeyError) -> SigningKey {
        SigningKey(seed: try keys.systemKey(purpose: Self.signingPurpose))
    }

    private static func text(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).ISO8601Format()
    }

    /// Text within its bound, and without what would break a line.
    private static func bounded(_ text: String) -> String {
        let clean = String(text.unicodeScalars.map { $0.value < 0x20 ? " " : Character($0) })
        return String(decoding: clean.utf8.prefix(orderTextByteCountLimit), as: UTF8.self)
    }
}
