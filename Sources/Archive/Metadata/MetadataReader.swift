import Catalog
import DICOM

/// Reads metadata as they are shown under the corrections of one moment. Safe from any thread.
public struct MetadataReader: Sendable {
    private let archive: Archive
    private let rules: CorrectionRules
    private let mark: MetadataShelf.Mark

    init(_ archive: Archive) {
        self.archive = archive
        rules = archive.catalog.rules
        mark = archive.metadataShelf.mark(rules)
    }

    /// What is in memory; does not block.
    public func held(_ holding: Holding) -> MetadataText? { archive.metadataShelf.text(holding.sequence, mark) }

    /// Reads what is not in memory, and keeps it there for a while. Blocks.
    public func read(_ holding: Holding) throws(ArchiveError) -> MetadataText {
        let text = MetadataText(try archive.metadata(of: archive.open(holding), under: rules))
        archive.metadataShelf.keep(text, holding.sequence, mark)
        return text
    }
}

extension Archive {
    /// Reads metadata as they are shown now.
    public func metadataReader() -> MetadataReader { MetadataReader(self) }
}
