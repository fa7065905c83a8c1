import Foundation
import HTTP
import NIOCore
import NIOPosix
import Testing

/// Whether somebody still waits for an answer.
struct ClientPresenceTests {
    @Test(.timeLimit(.minutes(30))) func tellsThatTheOtherEndIsGoneThoughTheConnectionStaysOpen() throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let accepted = group.any().makePromise(of: (any Channel).self)
        let server = try ServerBootstrap(group: group)
            .childChannelOption(ChannelOptions.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                accepted.succeed(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        defer { try? server.close().wait() }
        let address = try #require(server.localAddress)
        let client = try ClientBootstrap(group: group).connect(to: address).wait()
        let channel = try accepted.futureResult.wait()
        // It is given before it is open.
        while !channel.isActive { usleep(1000) }
        #expect(ClientPresence(channel).isThere)
        try client.close().wait()
        let presence = ClientPresence(channel)
        while presence.isThere { usleep(1000) }
        #expect(channel.isActive)
        try channel.close().wait()
        #expect(!ClientPresence(channel).isThere)
    }
}
