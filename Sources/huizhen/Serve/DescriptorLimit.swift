import Glibc
import HTTP
import Logging

/// Files and connections that the process may have open.
enum DescriptorLimit {
    /// For packs, databases, workers and what is open beside connections.
    private static let reserve = 1024

    /// The usual limit of 1024 is below the connections that are taken.
    ///
    /// - Returns: the limit as it is then.
    private static func raise(to need: Int) -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return need }
        var raised = rlimit(rlim_cur: rlim_t(need), rlim_max: rlim_t(need))
        // Beyond what it may be at most only with privilege.
        if limit.rlim_max >= rlim_t(need) || setrlimit(resource, &raised) != 0 {
            raised = rlimit(rlim_cur: limit.rlim_max, rlim_max: limit.rlim_max)
            setrlimit(resource, &raised)
        }
        return Int(clamping: raised.rlim_cur)
    }

    /// Makes room for every connection that the settings allow, and says so where there is none.
    static func prepare(for settings: Settings, logger: Logger) {
        // A DIMSE connection may take two, one of them where its association is answered from.
        let need =
            2 * settings.integer("web.connections") + 2 * settings.integer("dimse.connections")
            + 2 * settings.integer("sftp.connections") + StatusServer.connectionLimit
            + Settings.siteConnectionLimit + reserve
        let limit = raise(to: need)
        guard limit < need else { return }
        logger.warning(
            """
            the process may open \(limit) files, and its settings allow connections that take \(need): raise its limit \
            (LimitNOFILE of the unit, ulimit -n), or lower web.connections
            """)
    }
}
