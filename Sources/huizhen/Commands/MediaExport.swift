import ArgumentParser
import Control
import DICOM
import Foundation
import Media

/// Which transfer syntaxes a medium may hold.
enum MediaProfileChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
    /// The profile that leaves the most objects as they are.
    case auto
    case uncompressed
    case jpeg
    case j2k
    /// Everything as it is stored, whether a profile allows it or not.
    case any
}

/// What a medium was written with.
struct MediaReport: Encodable, Sendable {
    struct Left: Encodable, Sendable {
        var sopInstanceUID: String
        var reason: String
    }

    var path: String
    /// The application profiles with the fewest transfer syntaxes that the file-set conforms to; empty when it holds
    /// what none allows.
    var profile: [String] = []
    /// All of those it conforms to.
    var profiles: [String] = []
    var fileSet: FileSetSummary
    var leftOut = 0
    /// The first of them.
    var leftOutObjects: [Left] = []

    static let nameLimit = 100
}

/// Asks the service for objects and writes them as a file-set. PS3.10 §8, PS3.11.
struct MediaExport: Sendable {
    var studies: [String]
    var series: [String]
    var instances: [String]
    var choice: MediaProfileChoice
    var fileSetID: String
    /// A zip file instead of a folder.
    var isZip: Bool
    var path: String
    var destination: String?

    func run(_ settings: Settings) throws -> MediaReport {
        let measuring = try Channel.ask(
            .measure(studies: studies, series: series, instances: instances), settings)
        guard case .measured(let counts, let byteCount) = try measuring.reply() else {
            throw CommandFailure.end(2, "the service answered something else than a measure")
        }
        guard !counts.isEmpty else { throw CommandFailure.end(1, "nothing is held under that name") }
        try checkRoom(byteCount)
        let profile = profile(suiting: counts)
        let channel = try Channel.ask(
            .export(
                studies: studies, series: series, instances: instances,
                transferSyntaxes: profile?.transferSyntaxes.map(\.uid) ?? [], destination: destination), settings)
        do { return try write(channel) } catch let error as MediaError { throw CommandFailure.end(1, "\(error)") }
    }

    private func write(_ channel: Channel) throws -> MediaReport {
        let output: any MediaOutput = isZip ? try ZipOutput(path: path) : try FolderOutput(path: path)
        var isDone = false
        defer { if !isDone { output.abandon() } }
        let writer = try FileSetWriter(output: output, fileSetID: fileSetID)
        var report = MediaReport(path: path, fileSet: FileSetSummary())
        try take(channel, writer, &report)
        guard writer.objectCount > 0 else {
            throw CommandFailure.end(1, "none of the objects can be had in the profile: see --profile")
        }
        report.fileSet = try writer.finish()
        isDone = true
        let profiles = MediaProfile.allowing(report.fileSet.transferSyntaxes.keys)
        report.profile = profiles.first?.identifiers ?? []
        report.profiles = profiles.flatMap(\.identifiers)
        return report
    }

    private func profile(suiting counts: [String: Int]) -> MediaProfile? {
        switch choice {
        case .auto: .suiting(counts)
        case .uncompressed: .uncompressed
        case .jpeg: .jpeg
        case .j2k: .jpeg2000
        case .any: nil
        }
    }

    /// Refuses at once what cannot fit as it is stored; what is decoded may need more, and is told when it does.
    private func checkRoom(_ byteCount: UInt64) throws {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return }
        let free = UInt64(status.f_bavail) * UInt64(status.f_frsize)
        if free < byteCount {
            throw CommandFailure.end(
                1,
                "\(path) needs \(readable(byteCount)) and its disk has \(readable(free)): free space, or name another"
            )
        }
    }

    private func take(_ channel: Channel, _ writer: FileSetWriter, _ report: inout MediaReport) throws {
        var line = ProgressLine()
        func leaveOut(_ head: ObjectHead, _ why: String) {
            report.leftOut += 1
            guard report.leftOutObjects.count < MediaReport.nameLimit else { return }
            report.leftOutObjects.append(.init(sopInstanceUID: head.sopInstanceUID, reason: why))
        }
        while true {
            switch try channel.reply(&line, "exporting") {
            case .object(let head):
                try writer.begin(MediaObject(head))
                var failure: MediaError?
                do throws(ControlError) {
                    try channel.receiveData { piece in
                        guard failure == nil else { return }
                        do throws(MediaError) { try writer.append(piece) } catch { failure = error }
                    }
                } catch .objectEnded(let why) {
                    writer.discard()
                    leaveOut(head, why)
                    continue
                }
                if let failure { throw failure }
                if let why = try writer.end() { leaveOut(head, "\(why)") }
            case .leftOut(let head, let why): leaveOut(head, why)
            case .done:
                line.end()
                return
            default: throw CommandFailure.end(2, "the service answered something else than an object")
            }
        }
    }
}

extension MediaObject {
    init(_ head: ObjectHead) {
        self.init(
            sopClassUID: head.sopClassUID, sopInstanceUID: head.sopInstanceUID,
            transferSyntaxUID: head.transferSyntaxUID, studyInstanceUID: head.studyInstanceUID ?? "",
            seriesInstanceUID: head.seriesInstanceUID ?? "", issuerOfPatientID: head.issuerOfPatientID ?? "")
    }
}

extension MediaReport {
    /// The report for people.
    var lines: [String] {
        var lines = leftOutObjects.map { "left out \($0.sopInstanceUID): \($0.reason)" }
        if leftOut > leftOutObjects.count { lines.append("and \(leftOut - leftOutObjects.count) more left out") }
        if !fileSet.madeUp.isEmpty {
            let values = fileSet.madeUp.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("made up in the DICOMDIR, for the objects lack them: " + values.joined(separator: ", "))
        }
        lines.append(
            "\(fileSet.objects) objects of \(fileSet.studies) studies of \(fileSet.patients) patients written to \(path)"
                + ", "
                + (profile.isEmpty
                    ? "in transfer syntaxes that no general purpose profile allows together"
                    : "profile " + profile.joined(separator: ", ")))
        return lines
    }
}
