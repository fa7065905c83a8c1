import Foundation
import Testing

/// What `orthancweb.py` reports.
private struct OrthancWebReport: Decodable {
    var problems: [String]
    var objects: Int
}

/// The DICOMweb plugin of Debian's Orthanc as client, and as server beside us.
@Suite(.scenario, .timeLimit(.minutes(30))) struct OrthancWebTests {
    private static let needed = ["/usr/sbin/Orthanc", "/usr/share/orthanc/plugins/libOrthancDicomWeb.so"]

    @Test(
        .enabled(
            if: needed.allSatisfy { FileManager.default.fileExists(atPath: $0) },
            "needs Debian's package orthanc-dicomweb"))
    func exchangesObjectsWithOrthancsPluginInBothDirections() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let report = try Python.ask(
            "orthancweb.py",
            ["\(huizhen.webPort)", Images.phantoms, TemporaryFolder.make(), "\(freePort())", "\(freePort())"],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], as: OrthancWebReport.self)
        #expect(report.problems == [])
        let files = try FileManager.default.contentsOfDirectory(atPath: Images.phantoms)
        #expect(report.objects == files.count { $0.hasSuffix(".dcm") })
    }
}
