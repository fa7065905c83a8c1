import Foundation

/// Where a server speaks DICOMweb, and how requests to it are written.
struct WebDoor: Sendable {
    static let root = "/dicom-web"

    enum Accept: String {
        case objects = "multipart/related; type=\"application/dicom\""
        case json = "application/dicom+json"
        case frames = "multipart/related; type=\"application/octet-stream\""
        case framesAsJPEGLS = "multipart/related; type=\"image/jls\""
        case jpeg = "image/jpeg"
    }

    let port: Int
    /// Sent with every request; nil where none is asked for.
    var token: String?

    /// - Parameter path: below the root; with its query.
    func get(_ path: String, accept: Accept, fields: [String] = []) -> [UInt8] {
        let lines = ["GET \(Self.root)\(path) HTTP/1.1", "Accept: \(accept.rawValue)"] + common + fields
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    /// The head of a store request.
    func post(byteCount: Int, boundary: String) -> [UInt8] {
        let type = "multipart/related; type=\"application/dicom\"; boundary=\(boundary)"
        let lines =
            [
                "POST \(Self.root)/studies HTTP/1.1", "Accept: application/dicom+json", "Content-Type: \(type)",
                "Content-Length: \(byteCount)",
            ] + common
        return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
    }

    private var common: [String] {
        ["Host: \(Clients.loopback):\(port)"] + (token.map { ["Authorization: Bearer \($0)"] } ?? [])
    }

    /// Stores files in one request.
    ///
    /// - Returns: seconds from the first byte to the answer's last one.
    /// - Throws: `.failed` for any status but 200.
    func store(_ files: [String]) throws(BenchError) -> Double {
        let boundary = "huizhen-bench"
        let head = Array("--\(boundary)\r\nContent-Type: application/dicom\r\n\r\n".utf8)
        let between = Array("\r\n".utf8)
        let tail = Array("--\(boundary)--\r\n".utf8)
        var sizes: [Int] = []
        for file in files { sizes.append(try Self.byteCount(of: file)) }
        let total = sizes.reduce(0) { $0 + $1 + head.count + between.count } + tail.count
        let connection = try WebConnection(port: port)
        let clock = ContinuousClock()
        let start = clock.now
        try connection.send(post(byteCount: total, boundary: boundary), moreComes: true)
        for (file, size) in zip(files, sizes) {
            try connection.send(head, moreComes: true)
            try connection.send(file: file, byteCount: size)
            try connection.send(between, moreComes: true)
        }
        try connection.send(tail)
        let answer = try connection.answer()
        guard answer.status == 200 else {
            throw .failed(process: "storing by the web", status: Int32(answer.status), lastWords: "")
        }
        return (clock.now - start).inSeconds
    }

    /// One answer, which must be 200 and have at least so many bytes.
    func ask(
        _ connection: WebConnection, _ request: [UInt8], atLeast byteCount: Int, keeping: Bool = false
    ) throws(BenchError) -> WebConnection.Answer {
        let answer = try connection.ask(request, keeping: keeping)
        guard answer.status == 200 else {
            throw .failed(process: "a web request", status: Int32(answer.status), lastWords: "")
        }
        guard answer.byteCount >= byteCount else {
            throw .incomplete(work: "bytes of a web answer", expected: byteCount, found: answer.byteCount)
        }
        return answer
    }

    private static func byteCount(of path: String) throws(BenchError) -> Int {
        var information = stat()
        guard stat(path, &information) == 0 else { throw .system(call: "stat", on: path, code: errno) }
        return information.st_size
    }
}

/// Paths of one generated study.
extension StudyIdentity {
    var path: String { "/studies/\(study)" }
    var seriesPath: String { "\(path)/series/\(series)" }

    func path(ofInstance index: Int) -> String { "\(seriesPath)/instances/\(instance(index))" }
}
