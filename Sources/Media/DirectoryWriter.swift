import DICOM

/// Gathers the records of a DICOMDIR and writes them once all are known. PS3.3 §F.3.
///
/// Records of patients, studies and series are held; those of objects lie in a spool file, 16 bytes each held.
struct DirectoryWriter {
    /// What offsets of 32 bits reach. PS3.3 §F.3.2.2.
    static let byteCountLimit: UInt64 = 0xFFFF_FFFE

    private struct Leaf {
        var spoolOffset: UInt64
        var byteCount: UInt32
    }

    private struct Branch {
        var record: [UInt8]
        /// Indices of studies or of series.
        var branches: [Int] = []
        var leaves: [Leaf] = []
    }

    private let spool: SpoolFile
    private var patients: [Branch] = []
    private var studies: [Branch] = []
    private var series: [Branch] = []
    /// Objects that belong to no patient.
    private var roots: [Leaf] = []
    /// Bytes of all records.
    private var byteCount: UInt64 = 0
    private let limit: UInt64

    init(spool: SpoolFile, limit: UInt64 = Self.byteCountLimit) {
        self.spool = spool
        self.limit = limit
    }

    // MARK: Gathering

    private mutating func grow(_ record: [UInt8]) throws(MediaError) {
        byteCount += UInt64(record.count)
        // The header before the records is shorter than this.
        if byteCount + 4096 > limit { throw .directoryTooLarge(limit: limit) }
    }

    mutating func addPatient(_ record: [UInt8]) throws(MediaError) -> Int {
        try grow(record)
        patients.append(Branch(record: record))
        return patients.count - 1
    }

    mutating func addStudy(_ record: [UInt8], patient: Int) throws(MediaError) -> Int {
        try grow(record)
        studies.append(Branch(record: record))
        patients[patient].branches.append(studies.count - 1)
        return studies.count - 1
    }

    mutating func addSeries(_ record: [UInt8], study: Int) throws(MediaError) -> Int {
        try grow(record)
        series.append(Branch(record: record))
        studies[study].branches.append(series.count - 1)
        return series.count - 1
    }

    /// - Parameter series: nil for an object that belongs to no patient.
    mutating func addObject(_ record: [UInt8], series index: Int?) throws(MediaError) {
        try grow(record)
        let leaf = Leaf(spoolOffset: spool.byteCount, byteCount: UInt32(record.count))
        try spool.append(record)
        if let index { series[index].leaves.append(leaf) } else { roots.append(leaf) }
    }

    func objectCount(ofSeries index: Int) -> Int { series[index].leaves.count }
    func studyCount(ofPatient index: Int) -> Int { patients[index].branches.count }
    func seriesCount(ofStudy index: Int) -> Int { studies[index].branches.count }

    // MARK: Writing

    /// Gives the whole file in order.
    func write(
        fileSetID: String, fileSetUID: String, _ body: ([UInt8]) throws(MediaError) -> Void
    ) throws(MediaError) {
        let headByteCount = UInt64(head(fileSetID, fileSetUID, first: 0, last: 0).count)
        let seriesByteCounts = series.map { branch in
            branch.leaves.reduce(UInt64(branch.record.count)) { $0 + UInt64($1.byteCount) }
        }
        let studyByteCounts = studies.map { branch in
            branch.branches.reduce(UInt64(branch.record.count)) { $0 + seriesByteCounts[$1] }
        }
        let patientByteCounts = patients.map { branch in
            branch.branches.reduce(UInt64(branch.record.count)) { $0 + studyByteCounts[$1] }
        }
        let lastByteCount = roots.last.map { UInt64($0.byteCount) } ?? patientByteCounts.last ?? 0
        let lastRoot = headByteCount + byteCount - lastByteCount
        let isEmpty = patients.isEmpty && roots.isEmpty
        try body(head(fileSetID, fileSetUID, first: isEmpty ? 0 : headByteCount, last: isEmpty ? 0 : lastRoot))
        var position = headByteCount
        for (index, patient) in patients.enumerated() {
            let isLast = index == patients.count - 1 && roots.isEmpty
            try put(patient, at: position, isLast: isLast, byteCount: patientByteCounts[index], body)
            var below = position + UInt64(patient.record.count)
            for study in patient.branches {
                let isLast = study == patient.branches.last
                try put(studies[study], at: below, isLast: isLast, byteCount: studyByteCounts[study], body)
                try writeSeries(of: studies[study], at: below, seriesByteCounts, body)
                below += studyByteCounts[study]
            }
            position += patientByteCounts[index]
        }
        try write(roots, at: position, body)
    }

    private func writeSeries(
        of study: Branch, at position: UInt64, _ byteCounts: [UInt64], _ body: ([UInt8]) throws(MediaError) -> Void
    ) throws(MediaError) {
        var position = position + UInt64(study.record.count)
        for index in study.branches {
            let isLast = index == study.branches.last
            try put(series[index], at: position, isLast: isLast, byteCount: byteCounts[index], body)
            try write(series[index].leaves, at: position + UInt64(series[index].record.count), body)
            position += byteCounts[index]
        }
    }

    private func write(
        _ leaves: [Leaf], at position: UInt64, _ body: ([UInt8]) throws(MediaError) -> Void
    ) throws(MediaError) {
        var position = position
        for (index, leaf) in leaves.enumerated() {
            var record = try spool.read(offset: leaf.spoolOffset, count: Int(leaf.byteCount))
            position += UInt64(leaf.byteCount)
            Self.patch(&record, DirectoryRecord.nextOffset, index == leaves.count - 1 ? 0 : position)
            try body(record)
        }
    }

    private func put(
        _ branch: Branch, at position: UInt64, isLast: Bool, byteCount: UInt64,
        _ body: ([UInt8]) throws(MediaError) -> Void
    ) throws(MediaError) {
        var record = branch.record
        let isLeaf = branch.branches.isEmpty && branch.leaves.isEmpty
        Self.patch(&record, DirectoryRecord.nextOffset, isLast ? 0 : position + byteCount)
        Self.patch(&record, DirectoryRecord.lowerOffset, isLeaf ? 0 : position + UInt64(record.count))
        try body(record)
    }

    private static func patch(_ record: inout [UInt8], _ place: Int, _ value: UInt64) {
        for index in 0..<4 { record[place + index] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) }
    }

    /// Everything before the first record. PS3.3 §F.3.2, PS3.10 §8.6.
    private func head(_ fileSetID: String, _ fileSetUID: String, first: UInt64, last: UInt64) -> [UInt8] {
        var dataset = Dataset()
        dataset.set(.fileSetID, .CS, string: fileSetID)
        dataset.set(Tag(0x0004_1200), .UL, ints: [Int(first)])
        dataset.set(Tag(0x0004_1202), .UL, ints: [Int(last)])
        dataset.set(Tag(0x0004_1212), .US, ints: [0])
        var bytes = Part10.header(
            sopClassUID: SOPClass.mediaStorageDirectory, sopInstanceUID: fileSetUID,
            transferSyntax: .explicitVRLittleEndian)
        bytes += dataset.encoded(transferSyntax: .explicitVRLittleEndian)
        bytes += [0x04, 0x00, 0x20, 0x12, 0x53, 0x51, 0x00, 0x00]
        for index in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: byteCount >> (8 * UInt64(index)))) }
        return bytes
    }
}
