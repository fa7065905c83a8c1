import Glibc

/// A file's path, with the folder that it is in as the tool sees that. The service may have a file system of its own
/// (systemd's PrivateTmp, a container), where the same path leads elsewhere.
public struct SeenPath: Codable, Hashable, Sendable {
    /// Absolute.
    public var path: String
    private var device: UInt64
    private var inode: UInt64

    /// Looks at the folder.
    ///
    /// - Throws: `.refused` when it is not there or may not be looked at.
    public init(_ path: String) throws(ControlError) {
        guard let folder = Self.folder(of: path) else {
            throw .refused("\(path): its folder cannot be looked at (\(String(cString: strerror(errno))))")
        }
        self.path = path
        (device, inode) = folder
    }

    /// Whether the same path leads this process to the same folder.
    ///
    /// - Throws: `.refused` when it does not.
    public func requireSame() throws(ControlError) {
        if let folder = Self.folder(of: path), folder == (device, inode) { return }
        throw .refused(
            "\(path): the running service sees another folder there, or none; where systemd runs it, it has a /tmp and "
                + "a /var/tmp of its own, which end with it. Name a place that both see")
    }

    private static func folder(of path: String) -> (UInt64, UInt64)? {
        var status = stat()
        let end = path.lastIndex(of: "/") ?? path.startIndex
        guard stat(String(path[...end]), &status) == 0 else { return nil }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
