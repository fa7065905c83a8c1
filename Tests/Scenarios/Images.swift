import Foundation

/// Where the images of the tests come from.
enum Images {
    /// Real public files: the folder that HUIZHEN_IMAGES names, else the one beside the package, else pydicom's own.
    static let real: Result<String, ToolFailure> = {
        let named = ProcessInfo.processInfo.environment["HUIZHEN_IMAGES"]
        let beside = URL(fileURLWithPath: Python.root).deletingLastPathComponent().path + "/shared/images"
        for folder in [named, beside].compactMap({ $0 }) where FileManager.default.fileExists(atPath: folder) {
            return .success(folder)
        }
        return pydicom
    }()

    /// The files that come with pydicom's package.
    static let pydicom: Result<String, ToolFailure> = {
        do {
            let question = "import pydicom, os; print(os.path.join(os.path.dirname(pydicom.__file__), 'data'))"
            let path = try Tool.run(Python.interpreter.get(), ["-c", question]).checked()
            return .success(path.trimmingCharacters(in: .whitespacesAndNewlines))
        } catch { return .failure(ToolFailure(text: "\(error)")) }
    }()

    /// The phantoms of this package.
    static let phantoms = Python.root + "/TestImages/phantoms"

    /// One real CT of pydicom's package: explicit VR little endian.
    static func smallCT() throws -> String { try pydicom.get() + "/test_files/CT_small.dcm" }

    /// One real MR.
    static func smallMR() throws -> String { try pydicom.get() + "/test_files/MR_small.dcm" }
}
