import Glibc

/// A port that cannot be listened on, with the setting that chooses it.
struct DoorFailure: Error, CustomStringConvertible {
    /// As `huizhen settings` lists it.
    var setting: String
    var port: Int
    var reason: String
    /// Whether something else listens there.
    var isTaken: Bool

    init(setting: String, port: Int, errno: Int32) {
        self.init(setting: setting, port: port, reason: String(cString: strerror(errno)), isTaken: errno == EADDRINUSE)
    }

    init(setting: String, port: Int, reason: String, isTaken: Bool = false) {
        self.setting = setting
        self.port = port
        self.reason = reason
        self.isTaken = isTaken
    }

    var description: String {
        let next =
            isTaken
            ? "End what listens there (`ss -ltnp` names it), or choose another port with --set \(setting)=PORT"
            : "Check the addresses of this door (`huizhen settings`), and that the service may open this port"
        return "cannot listen on port \(port) (\(setting)): \(reason). \(next)"
    }
}
