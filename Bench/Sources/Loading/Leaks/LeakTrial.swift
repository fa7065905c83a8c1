import DICOM

/// Objects that name their patient at every site of which a de-identifier should know, each site with a value of its own,
/// and the search for those values in what comes out.
public struct LeakTrial: Sendable {
    /// Part 10 files by name.
    public let files: [(name: String, bytes: [UInt8])]
    public let sites: [PlantedSite]

    public init() {
        var planter = Planter()
        files = [
            ("ct", PlantedImage.plain(&planter)), ("chinese", PlantedImage.chinese(&planter)),
            ("jpeg", PlantedImage.jpeg(&planter)), ("jpeg2000", PlantedImage.jpeg2000(&planter)),
            ("report", PlantedDocument.report(&planter)), ("pdf", PlantedDocument.pdf(&planter)),
            ("waveform", PlantedDocument.waveform(&planter)), ("presentation", PlantedDocument.presentation(&planter)),
        ].map { ($0.0 + ".dcm", $0.1) }
        sites = planter.sites
    }

    /// The sites whose value stands in any of some files, in any form.
    public func sites(in files: [[UInt8]]) -> [String] {
        let haystacks = files.filter { !$0.isEmpty }.map { PlantedSite.Haystack($0) }
        return sites.filter { site in haystacks.contains { site.isFound(in: $0) } }.map(\.name)
    }
}
