import Foundation
import Glibc

/// A line from a port of its own to another: passes bytes on, can be cut, silenced and restored, and counts what it carries.
final class FailingLine: @unchecked Sendable {  // everything that changes is behind the condition
    private enum State {
        case good
        /// What is open ends with a reset; what is opened ends at once.
        case cut
        /// Nothing passes, and nobody is told.
        case silent
    }

    /// A connection and its other half. Its descriptors are closed when both directions have ended.
    private final class Pair: @unchecked Sendable {  // `directions` is behind the line's condition
        let near: Int32
        let far: Int32
        var directions = 2

        init(near: Int32, far: Int32) { (self.near, self.far) = (near, far) }

        /// So that whoever reads or writes learns of it at once.
        func reset() {
            var now = linger(l_onoff: 1, l_linger: 0)
            for descriptor in [near, far] {
                setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
                shutdown(descriptor, Int32(SHUT_RDWR))
            }
        }
    }

    let port: Int
    private let target: Int
    private let listener: Int32
    private let condition = NSCondition()
    private var state = State.good
    private var pairs: [ObjectIdentifier: Pair] = [:]
    private var carried = 0
    private var isOver = false

    init(to target: Int) throws {
        self.target = target
        port = freePort()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var yes: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Self.at(port, { bind(listener, $0, $1) }) == 0, listen(listener, 256) == 0 else {
            throw ToolFailure(text: "the line has no port")
        }
        Thread.detachNewThread { [self, listener] in
            while true {
                let near = accept(listener, nil, nil)
                guard near >= 0 else { return }
                _ = fcntl(near, F_SETFD, FD_CLOEXEC)
                take(near)
            }
        }
    }

    /// Bytes that went towards the target.
    var byteCount: Int { locked { carried } }

    func cut() { change(.cut, resetting: true) }

    func silence() { change(.silent, resetting: false) }

    /// - Parameter dropping: whether what was open meanwhile is lost, as where a router forgot it.
    func restore(dropping: Bool = false) { change(.good, resetting: dropping) }

    /// Ends it for good.
    func close() {
        locked { isOver = true }
        change(.cut, resetting: true)
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func change(_ new: State, resetting: Bool) {
        locked {
            state = new
            if resetting { for pair in pairs.values { pair.reset() } }
            condition.broadcast()
        }
    }

    private func locked<Result>(_ body: () throws -> Result) rethrows -> Result {
        condition.lock()
        defer { condition.unlock() }
        return try body()
    }

    private static func at(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private func take(_ near: Int32) {
        let far = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        let pair = Pair(near: near, far: far)
        let isGood = locked {
            while state == .silent, !isOver { condition.wait() }
            guard state == .good, Self.at(target, { connect(far, $0, $1) }) == 0 else { return false }
            pairs[ObjectIdentifier(pair)] = pair
            return true
        }
        guard isGood else {
            pair.reset()
            Glibc.close(near)
            Glibc.close(far)
            return
        }
        Thread.detachNewThread { [self] in pass(pair, pair.near, pair.far, isThere: true) }
        Thread.detachNewThread { [self] in pass(pair, pair.far, pair.near, isThere: false) }
    }

    private func pass(_ pair: Pair, _ from: Int32, _ to: Int32, isThere: Bool) {
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = recv(from, &room, room.count, 0)
            if count <= 0 { break }
            locked { while state == .silent, !isOver { condition.wait() } }
            var sent = 0
            while sent < count {
                let now = room[sent..<count].withUnsafeBytes {
                    send(to, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if now <= 0 { break }
                sent += now
            }
            if isThere { locked { carried += sent } }
            if sent < count { break }
        }
        shutdown(to, Int32(SHUT_WR))
        locked {
            pair.directions -= 1
            guard pair.directions == 0 else { return }
            pairs[ObjectIdentifier(pair)] = nil
            Glibc.close(pair.near)
            Glibc.close(pair.far)
        }
    }

    deinit { Glibc.close(listener) }
}
