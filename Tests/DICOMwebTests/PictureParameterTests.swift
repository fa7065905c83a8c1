import DICOM
import HTTP
import Testing

@testable import DICOMweb

struct PictureParameterTests {
    private func order(_ query: String) throws -> PictureOrder {
        try PictureParameters(query, isThumbnail: false).order
    }

    private func status(_ query: String, isThumbnail: Bool = false) -> Int? {
        do {
            _ = try PictureParameters(query, isThumbnail: isThumbnail)
            return nil
        } catch { return error.status.code }
    }

    @Test func readsWhatIsAskedOfAPicture() throws {
        let order = try order("viewport=640,480,10,20,-30,40&window=40,400,sigmoid&iccprofile=yes&charset=utf-8")
        #expect(order.width == 640)
        #expect(order.height == 480)
        #expect(order.region == .pixels(left: 10, top: 20, width: -30, height: 40))
        #expect(order.window == ValueWindow(center: 40, width: 400, shape: .sigmoid))
        #expect(order.colors == .profiled)
        #expect(try self.order("viewport=1,2,,,,").region == .pixels(left: 0, top: 0, width: nil, height: nil))
        #expect(try self.order("window=-1.5e2,3").window == ValueWindow(center: -150, width: 3, shape: .linear))
        #expect(try PictureParameters("quality=1", isThumbnail: false).quality == 1)
        #expect(try PictureParameters("accept=image/png", isThumbnail: true).accept == [MediaRange("image", "png")])
    }

    @Test func boundsTheViewport() {
        #expect(status("viewport=8192,8192") == nil)
        #expect(status("viewport=8193,1") == 400)
        #expect(status("viewport=1,8193") == 400)
        #expect(status("viewport=0,1") == 400)
        #expect(status("viewport=1,1,65535,0,1,1") == nil)
        #expect(status("viewport=1,1,65536,0,1,1") == 400)
    }

    @Test func boundsQualityAndWindow() {
        #expect(status("quality=100") == nil)
        #expect(status("quality=101") == 400)
        #expect(status("quality=0") == 400)
        #expect(status("window=0,1,linear") == nil)
        #expect(status("window=0,0.99,linear") == 400)
        #expect(status("window=0,0.01,linear-exact") == nil)
        #expect(status("window=0,0,linear-exact") == 400)
        #expect(status("window=0," + String(repeating: "9", count: 64)) == nil)
        #expect(status("window=0," + String(repeating: "9", count: 65)) == 400)
    }

    @Test(arguments: [
        "viewport=1", "viewport=a,b", "viewport=1,1,1,1", "window=1,inf", "window=nan,1", "window=1,2,square",
        "other=1",
        "quality=5&quality=5", "annotation=x", "iccprofile=perhaps", "accept=%",
    ])
    func refusesWhatIsMalformed(_ query: String) { #expect(status(query) == 400) }

    @Test func readsWhatIsToBeWritten() throws {
        #expect(try order("annotation=patient").annotation == .patient)
        #expect(try order("annotation=technique,patient").annotation == [.patient, .technique])
        #expect(try order("annotation=technique,technique").annotation == .technique)
        #expect(try order("quality=5").annotation == [])
        for value in ["", "patient,", ",patient", "Patient", "patient technique"] {
            #expect(status("annotation=" + value) == 400)
        }
    }

    @Test func givesThumbnailsASizeAndNothingElseToChoose() throws {
        let small = try PictureParameters(nil, isThumbnail: true).order
        #expect(small.width == 128)
        #expect(small.height == 128)
        #expect(try PictureParameters("viewport=64,32", isThumbnail: true).order.height == 32)
        for query in ["window=1,2", "quality=5", "viewport=1,1,0,0,1,1", "annotation=patient", "iccprofile=no"] {
            #expect(status(query, isThumbnail: true) == 400)
        }
    }
}

struct PictureMediaTypeTests {
    private func choices(_ accept: String) throws -> [PictureMediaType.Choice] {
        PictureMediaType.choices(try #require(MediaRange.accepted(accept)))
    }

    @Test func choosesByQuality() throws {
        #expect(try choices("image/jpeg;q=0.1, image/png;q=0.2").map(\.type) == [.png, .jpeg])
        #expect(try choices("image/avif,image/webp,image/*,*/*;q=0.8").first == .init(type: .jpeg, isMultipart: false))
        #expect(try choices("image/gif, image/png;q=0.9").map(\.type) == [.gif, .png])
        #expect(try choices("*/*") == [.init(type: .jpeg, isMultipart: false, isFree: true)])
        #expect(PictureMediaType.choices([]) == [.init(type: .jpeg, isMultipart: false, isFree: true)])
        #expect(
            try choices("multipart/related; type=\"image/png\"") == [.init(type: .png, isMultipart: true)])
    }

    @Test func takesVideosAsOnePartOfACodecThatIsMade() throws {
        let video = PictureMediaType.Choice(type: .mp4, isMultipart: false)
        for accept in ["video/mp4", "video/*", "video/mp4; codecs=\"avc1.42C029\"", "video/mp4; codecs=\"hvc1, avc1\""]
        {
            #expect(try choices(accept) == [video])
        }
        #expect(try choices("image/png;q=0.5, video/mp4").map(\.type) == [.mp4, .png])
        #expect(try PictureMediaType.withoutVideo(choices("image/png;q=0.5, video/mp4")).map(\.type) == [.png])
        #expect(throws: Problem.self) { try PictureMediaType.withoutVideo([video]) }
    }

    @Test(arguments: [
        "image/bmp", "video/mpeg", "video/mp4; codecs=\"hvc1\"", "multipart/related; type=\"video/mp4\"",
        "application/dicom", "multipart/related; type=\"image/bmp\"", "text/*",
    ])
    func offersNothingElse(_ accept: String) throws { #expect(try choices(accept).isEmpty) }
}

struct URIRequestTests {
    private let names = "requestType=WADO&studyUID=1.2&seriesUID=1.3&objectUID=1.4"

    private func status(_ rest: String) -> Int? {
        do {
            _ = try URIRequest(names + rest)
            return nil
        } catch { return error.status.code }
    }

    @Test func readsOneObjectsAddress() throws {
        let request = try URIRequest(
            names + "&contentType=image/png&rows=5&region=0,0.5,1,1&windowCenter=1&windowWidth=2&frameNumber=7")
        #expect(request.path == ResourcePath(study: "1.2", series: "1.3", instance: "1.4"))
        #expect(request.order.height == 5)
        #expect(request.order.width == nil)
        #expect(request.order.region == .shares(left: 0, top: 0.5, right: 1, bottom: 1))
        #expect(request.frame == 7)
    }

    @Test func readsHowItIsToBeDeIdentified() throws {
        #expect(try URIRequest(names).profile == nil)
        #expect(try URIRequest(names + "&anonymize=yes").profile == "research")
        #expect(try URIRequest(names + "&deidentify=teaching").profile == "teaching")
    }

    @Test func boundsItsNumbers() {
        #expect(status("&rows=8192") == nil)
        #expect(status("&rows=8193") == 400)
        #expect(status("&columns=0") == 400)
        #expect(status("&imageQuality=100") == nil)
        #expect(status("&imageQuality=101") == 400)
        #expect(status("&frameNumber=2147483647") == nil)
        #expect(status("&frameNumber=2147483648") == 400)
        #expect(status("&region=0,0,1,1") == nil)
        #expect(status("&region=0,0,1,1.01") == 400)
    }

    @Test func refusesWhatItDoesNotOffer() {
        #expect(status("&anonymize=maybe") == 400)
        #expect(status("&anonymize=yes&anonymize=yes") == 400)
        #expect(status("&anonymize=yes&deidentify=research") == 400)
        #expect(status("&Deidentify=research") == 400)
        #expect(status("&annotation=patient") == nil)
        #expect(status("&annotation=name") == 400)
        #expect(status("&contentType=application/dicom&annotation=patient") == 400)
        #expect(status("&presentationUID=1.5") == 501)
        #expect(status("&contentType=video/mpeg") == 406)
        #expect(status("&contentType=application/dicom&transferSyntax=1.2.840.10008.1.2.1") == nil)
        #expect(status("&transferSyntax=1.2.840.10008.1.2.1") == 400)
        #expect(status("&contentType=application/dicom&windowCenter=1&windowWidth=2") == 400)
        #expect(status("&unknown=1") == 400)
        #expect(status("&rows=1&rows=1") == 400)
    }
}
