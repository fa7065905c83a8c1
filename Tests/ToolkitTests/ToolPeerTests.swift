import Foundation
import Testing

@testable import Toolkit

extension AllTests {
    /// Real peers, both ways.
    @Suite(.enabled(if: Tool.isInstalled("storescu"), "needs DCMTK's tools")) struct ToolPeerTests {
        @Test func answersDCMTKsEcho() throws {
            let service = try TestService()
            defer { service.stop() }
            #expect(try Tool.run("echoscu", ["-to", "5", "127.0.0.1", "\(service.port)"]) == 0)
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.answeredCount == 1)
            #expect(service.log.errors.isEmpty)
        }

        @Test func answersDCMTKsEchoWithAllItsContexts() throws {
            let service = try TestService()
            defer { service.stop() }
            let arguments = ["-ppc", "128", "-pts", "38", "--repeat", "5", "127.0.0.1", "\(service.port)"]
            #expect(try Tool.run("echoscu", arguments) == 0)
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.answeredCount == 5)
        }

        @Test func takesWhatDCMTKStores() throws {
            let folder = try TemporaryFolder()
            for number in 0..<5 { try SyntheticCT.write(number: number, to: folder.url) }
            let service = try TestService()
            defer { service.stop() }
            #expect(try Tool.run("storescu", ["+sd", "127.0.0.1", "\(service.port)", folder.url.path()]) == 0)
            #expect(service.wait { $0.endedCount == 1 })
            #expect(service.log.errors.isEmpty)
            #expect(service.log.storedByteCounts.count == 5)
            #expect(service.log.storedByteCounts.allSatisfy { $0 >= SyntheticCT.rowCount * SyntheticCT.rowCount * 2 })
        }

        @Test(arguments: ["4096", "131072"]) func storesToDCMTKBitForBit(maximumPDU: String) throws {
            let folder = try TemporaryFolder()
            let port = try freePort()
            let peer = try Tool("storescp", ["-pdu", maximumPDU, "+B", "-od", folder.url.path(), "\(port)"])
            defer { peer.stop() }
            let association = try requestPatiently(port: port, contexts: [Self.storage])
            #expect(association.accepted[1]?.acceptedTransferSyntax == Syntax.explicitLittleEndian)
            #expect(association.maximumPDVByteCount == Int(maximumPDU).map { $0 - 12 })
            let dataSet = SyntheticCT.dataSet(number: 7)
            for messageID in 1...3 as ClosedRange<UInt16> {
                let request = CommandSet.store(
                    messageID: messageID, sopClassUID: SOPClass.ctImageStorage,
                    sopInstanceUID: SyntheticCT.sopInstanceUID(7))
                try association.write(request, contextID: 1)
                try association.write(dataSet, contextID: 1, isCommand: false)
                #expect(try association.readCommand()[number: CommandSet.status] == 0)
            }
            try association.release()
            let files = try FileManager.default.contentsOfDirectory(at: folder.url, includingPropertiesForKeys: nil)
            let stored = try Data(contentsOf: #require(files.first))
            #expect(stored.suffix(dataSet.count).elementsEqual(dataSet))
        }

        @Test func asksDCMTKForAnEcho() throws {
            let port = try freePort()
            let peer = try Tool("storescp", ["--ignore", "\(port)"])
            defer { peer.stop() }
            let association = try requestPatiently(port: port, contexts: [Self.verification])
            #expect(association.peerImplementation.versionName.hasPrefix("OFFIS_DCMTK"))
            for messageID in 1...20 as ClosedRange<UInt16> { #expect(try association.echo(messageID: messageID) == 0) }
            try association.release()
        }

        @Test func readsWhyDCMTKRefuses() throws {
            let port = try freePort()
            let peer = try Tool("storescp", ["--refuse", "--ignore", "\(port)"])
            defer { peer.stop() }
            #expect(throws: AssociationError.rejected(.noReasonGiven)) {
                try requestPatiently(port: port, contexts: [Self.verification])
            }
        }

        @Test func readsThatDCMTKAborts() throws {
            let port = try freePort()
            let peer = try Tool("storescp", ["--abort-after", "--ignore", "\(port)"])
            defer { peer.stop() }
            let association = try requestPatiently(port: port, contexts: [Self.storage])
            let request = CommandSet.store(
                messageID: 1, sopClassUID: SOPClass.ctImageStorage, sopInstanceUID: SyntheticCT.sopInstanceUID(1))
            try association.write(request, contextID: 1)
            try association.write(
                SyntheticCT.dataSet(number: 1, byteCount: 64), contextID: 1, isCommand: false)
            #expect(throws: AssociationError.aborted(source: 0, reason: 0)) {
                try association.readCommand()
            }
        }

        @Test func storescuSeesOurRefusal() throws {
            let service = try TestService { association throws(AssociationError) in
                association.reject(.localLimitExceeded)
                return false
            }
            defer { service.stop() }
            #expect(try Tool.run("echoscu", ["127.0.0.1", "\(service.port)"]) != 0)
            #expect(service.wait { $0.endedCount == 1 })
        }

        static let verification = PresentationContext(
            id: 1, abstractSyntax: SOPClass.verification, transferSyntaxes: [Syntax.implicitLittleEndian])
        static let storage = PresentationContext(
            id: 1, abstractSyntax: SOPClass.ctImageStorage, transferSyntaxes: [Syntax.explicitLittleEndian])

        /// Tries until the program listens.
        private func requestPatiently(
            port: UInt16, contexts: [PresentationContext]
        ) throws(AssociationError) -> Association {
            for _ in 0..<200 {
                do throws(AssociationError) {
                    return try Association.request(.toTest(port: port, contexts: contexts))
                } catch .unreachable {
                    usleep(25_000)
                }
            }
            throw .timedOut
        }
    }
}
