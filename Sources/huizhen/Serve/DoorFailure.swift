/// A port that cannot be listened on, with the setting that chooses it.
struct DoorFailure: Error, CustomStringConvertible {
    /// As `huizhen settings` lists it.
    var setting: String
    var port: Int
    var reason: String

    var description: String {
        """
        cannot listen on port \(port) (\(setting)): \(reason). End what listens there (`ss -ltnp` names it), or choose another \
        port with --set \(setting)=PORT
        """
    }
}
