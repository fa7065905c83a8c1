import Glibc
import Keys

/// The files of unfinished objects: named by a digest, so that a name tells nothing.
final class PartialFolder: Sendable {
    private let path: String
    private let seal: PayloadSeal

    /// Makes the folder, open to its owner only.
    init(_ path: String, key: SymmetricKey) throws(TransferError) {
        self.path = path
        do throws(KeyError) { seal = try PayloadSeal(key) } catch { throw .ours("the key of pieces cannot be used") }
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .ours("\(path) could not be made") }
    }

    private func name(_ id: TransferID, _ digest: [UInt8]) -> String {
        let digest = try? (id.bytes + digest).withRawBytes { bytes throws(KeyError) in try SHA256Digest.of(bytes) }
        return Array((digest ?? []).prefix(16)).hexadecimal
    }

    func open(
        _ id: TransferID, _ digest: [UInt8], byteCount: UInt64, slots: [UInt8]?
    ) throws(TransferError) -> PartialObject {
        let count = Int((byteCount + UInt64(PartialObject.slotByteCount) - 1) / UInt64(PartialObject.slotByteCount))
        let name = name(id, digest)
        do throws(SystemFailure) {
            return try PartialObject(
                path: path + "/" + name, name: name, byteCount: byteCount,
                present: slots.flatMap { SlotBits.decoded($0, count: count) }, seal: seal)
        } catch { throw PartialObject.error(error) }
    }

    func remove(_ id: TransferID, _ digest: [UInt8]) { unlink(path + "/" + name(id, digest)) }

    /// Removes what belongs to none of these.
    func sweep(keeping known: [(id: String, digest: [UInt8])]) {
        let names = Set(known.compactMap { one in TransferID(one.id).map { name($0, one.digest) } })
        guard let folder = opendir(path) else { return }
        defer { closedir(folder) }
        while let entry = readdir(folder) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.utf8.count == 32, !names.contains(name) { unlink(path + "/" + name) }
        }
    }
}
