import Glibc
import NIOCore
import ServiceLifecycle

/// One of the web servers, whose port may be taken.
struct WebDoorService<Inner: ServiceLifecycle.Service>: ServiceLifecycle.Service {
    let inner: Inner
    /// The setting of its port.
    let setting: String
    let port: Int

    func run() async throws {
        do { try await inner.run() } catch let error as IOError where bindingErrors.contains(error.errnoCode) {
            throw DoorFailure(setting: setting, port: port, errno: error.errnoCode)
        }
    }
}

/// What bind(2) and listen(2) say of an address, and nothing that is said of connections.
private let bindingErrors: Set<CInt> = [EADDRINUSE, EACCES, EADDRNOTAVAIL]
