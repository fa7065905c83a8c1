import BlobStore
import Catalog
import DICOM

extension Archive {
    /// The record that is sealed beside an object's bytes, with the private attributes that are kept now: where another
    /// setting held when the object came, they are taken from its header anew.
    ///
    /// - Returns: nil where the record cannot be read. Where only the header cannot, the record has none of them.
    static func record(of reader: BlobReader, _ privates: PrivatePolicy) -> InstanceRecord? {
        guard var record = try? InstanceRecord(encoded: reader.record()) else { return nil }
        if record.privates.isTaken(by: privates) { return record }
        let header = privates.isEmpty ? nil : try? header(of: BlobContent(reader: reader), record)
        record.privates = privates.attributes(of: header ?? Dataset())
        return record
    }

    /// The header up to pixel data, which is the same beside compressed content.
    private static func header(of content: BlobContent, _ record: InstanceRecord) throws(ArchiveError) -> Dataset {
        try header(
            of: content, transferSyntax: TransferSyntax(uid: record.transferSyntaxUID),
            layout: PixelDataLayout(encoded: record.pixelDataLayout))
    }
}
