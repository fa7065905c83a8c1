import Foundation
import FuzzTargets

/// Names the target to processes that libFuzzer starts of itself.
private let targetVariable = "HUIZHEN_FUZZ_TARGET"

/// The target of this process; set before the first input, then only read.
nonisolated(unsafe) private var current: FuzzTarget?

/// What libFuzzer's `main` calls first: takes the target off the command line.
///
///     fuzz list                      names of the targets, each with the longest input in bytes
///     fuzz seeds TARGET DIR IMAGES   writes the inputs to begin with
///     fuzz TARGET ARGUMENTS...       runs libFuzzer on a target
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ values: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let arguments = (0..<Int(count.pointee)).map { values.pointee[$0].map { String(cString: $0) } ?? "" }
    if let name = ProcessInfo.processInfo.environment[targetVariable] {
        current = target(named: name)
        return 0
    }
    switch arguments.dropFirst().first {
    case nil: fail("usage: fuzz list | fuzz seeds TARGET DIR IMAGES | fuzz TARGET ARGUMENTS...")
    case "list":
        for target in FuzzTarget.all { print(target.name, target.byteCountLimit) }
        exit(0)
    case "seeds" where arguments.count == 5:
        writeSeeds(of: target(named: arguments[2]), to: arguments[3], images: SeedImages(folder: arguments[4]))
        exit(0)
    case let name?:
        current = target(named: name)
        setenv(targetVariable, name, 1)
        values.pointee[1] = values.pointee[0]
        values.pointee += 1
        count.pointee -= 1
        return 0
    }
}

/// One input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ byteCount: Int) -> CInt {
    do {
        try current?.run(Array(UnsafeBufferPointer(start: bytes, count: byteCount)))
    } catch {
        // Taken for a crash, so that the input is kept.
        FileHandle.standardError.write(Data("broken property: \(error)\n".utf8))
        abort()
    }
    return 0
}

private func writeSeeds(of target: FuzzTarget, to folder: String, images: SeedImages) {
    do {
        for (index, seed) in target.seeds(images).enumerated() {
            try Data(seed).write(to: URL(fileURLWithPath: folder + "/seed-\(index)"))
        }
    } catch { fail("the seeds cannot be written to \(folder): \(error)") }
}

private func target(named name: String) -> FuzzTarget {
    guard let found = FuzzTarget.all.first(where: { $0.name == name }) else {
        fail("no target \(name); there are \(FuzzTarget.all.map(\.name).joined(separator: ", "))")
    }
    return found
}

private func fail(_ text: String) -> Never {
    FileHandle.standardError.write(Data((text + "\n").utf8))
    exit(2)
}
