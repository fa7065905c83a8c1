import Archive
import Testing

struct FrameRunTests {
    private struct Broken: Error {}

    @Test(arguments: [1, 2, 5, 100]) func keepsTheOrderAndItsBound(_ lead: Int) throws {
        var begun = 0
        var taken = 0
        let run = FrameRun(lead: lead) { index in
            guard index < 20 else { return nil }
            begun += 1
            #expect(begun - taken <= lead)
            return { [UInt8(index)] }
        }
        while let frame = try run.take() {
            #expect(frame == [UInt8(taken)])
            taken += 1
        }
        #expect(taken == 20)
        #expect(try run.take() == nil)
    }

    @Test func tellsOfAFailureWhenItIsItsTurn() throws {
        let run = FrameRun(lead: 8) { index in
            if index == 2 { throw Broken() }
            return { [UInt8(index)] }
        }
        #expect(try run.take() == [0])
        #expect(try run.take() == [1])
        #expect(throws: Broken.self) { try run.take() }
    }

    @Test func goesOnBehindAFrameThatIsBroken() throws {
        let run = FrameRun(lead: 3) { index in
            guard index < 3 else { return nil }
            return {
                if index == 1 { throw Broken() }
                return [UInt8(index)]
            }
        }
        #expect(try run.take() == [0])
        #expect(throws: Broken.self) { try run.take() }
        #expect(try run.take() == [2])
        #expect(try run.take() == nil)
    }
}
