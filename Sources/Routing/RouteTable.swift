import Database
import Foundation
import Keys
import Synchronization

/// The routes, on disk and in memory. Safe from any thread.
public final class RouteTable: Sendable {
    public enum Failure: Error, Equatable, CustomStringConvertible {
        case database(DatabaseError)
        case invalid(String)
        case unknownRoute(String)

        public var description: String {
            switch self {
            case .database(let error): error.description
            case .invalid(let why): why
            case .unknownRoute(let name): "there is no route \(name): see `huizhen route list`"
            }
        }
    }

    /// Routes one service may have.
    public static let countLimit = 1000

    private let database: SQLDatabase
    private let routes: Mutex<[String: Route]>

    private static let migrations: [SQLDatabase.Migration] = [
        .init(["CREATE TABLE route (name TEXT PRIMARY KEY, description TEXT NOT NULL)"])
    ]

    /// - Parameter key: what its pages are sealed with.
    public init(path: String, key: SymmetricKey) throws(Failure) {
        do throws(DatabaseError) {
            database = try SQLDatabase(path: path, durability: .full, migrations: Self.migrations, key: key)
            let held = try database.read { connection throws(DatabaseError) in
                var result: [String: Route] = [:]
                try connection.query("SELECT description FROM route") { row throws(DatabaseError) in
                    let text = Data((row.text(0) ?? "").utf8)
                    guard let route = try? JSONDecoder().decode(Route.self, from: text) else {
                        throw .failed(code: -1, message: "a route's row is damaged")
                    }
                    result[route.name] = route
                    return true
                }
                return result
            }
            routes = Mutex(held)
        } catch { throw .database(error) }
    }

    /// Every route, by name.
    public func list() -> [Route] { routes.withLock { $0.values.sorted { $0.name < $1.name } } }

    /// Adds a route or replaces the one with its name; holds for what arrives from now on.
    public func add(_ route: Route) throws(Failure) {
        if let fault = route.fault { throw .invalid(fault) }
        let isNew = routes.withLock { $0[route.name] == nil && $0.count >= Self.countLimit }
        guard !isNew else { throw .invalid("there are \(Self.countLimit) routes already") }
        guard let text = try? JSONEncoder().encode(route) else { throw .invalid("the route cannot be written down") }
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    "INSERT OR REPLACE INTO route (name, description) VALUES (?, ?)",
                    [.text(route.name), .text(String(decoding: text, as: UTF8.self))])
            }
        } catch { throw .database(error) }
        routes.withLock { $0[route.name] = route }
    }

    /// Removes a route; what it has put into the queue stays there.
    public func remove(_ name: String) throws(Failure) {
        guard routes.withLock({ $0[name] != nil }) else { throw .unknownRoute(name) }
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute("DELETE FROM route WHERE name = ?", [.text(name)])
            }
        } catch { throw .database(error) }
        routes.withLock { _ = $0.removeValue(forKey: name) }
    }

    public func close() throws(Failure) {
        do throws(DatabaseError) { try database.close() } catch { throw .database(error) }
    }
}
