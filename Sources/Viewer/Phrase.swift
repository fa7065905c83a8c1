/// Everything the pages say. The scripts get the same table.
enum Phrase: String, CaseIterable, Sendable {
    case title, subtitle, notDiagnostic, signIn, signInHow, token, tokenRefused, signingIn, signOut, skipToContent
    case searchStudies, name, nameHint, patientID, accession, dateFrom, dateTo, modality, anyModality, search, clear
    case studies, noStudies, searching, found, sex, birthDate, studyDate, description, seriesAndImages, previousPage
    case nextPage, page, failed, signedOut, notFound, offline, retry, back, series, images, image, loading
    case noPreview, tools, toolWindow, toolPan, toolZoom, toolScroll, toolMeasure, presets, ownWindow, lung, bone
    case softTissue, brain, mediastinum, liver, wholeRange, fit, actualSize, invert, rotate, flipHorizontal,
        flipVertical
    case play, pause, rate, perSecond, slice, frame, metadata, filter, close, tag, keyword, value, help, reset
    case clearMeasurements, pixels, millimetres, atDetector, noImages, cannotShow, windowLabel, zoomLabel, lossy
    case keysHelp, imageRegion, measureHint, thickness, binary, truncated, rendered, arriving, arrivingOf, arrivalEnded

    func text(_ language: Language) -> String {
        let pair = both
        return language == .chinese ? pair.0 : pair.1
    }

    /// Chinese, English.
    private var both: (String, String) {
        switch self {
        case .title: ("会诊", "Huizhen")
        case .subtitle: ("医学影像阅览", "Image viewer")
        case .notDiagnostic: ("仅供参阅，不得用于初步诊断", "For review only, not for primary diagnosis")
        case .signIn: ("登录", "Sign in")
        case .signInHow:
            (
                "在本机运行 huizhen web open，打开它给出的地址；或运行 huizhen web token，把令牌粘贴到这里。",
                "Run `huizhen web open` on this machine and open the address it prints; or run `huizhen web token` "
                    + "and paste the token here."
            )
        case .token: ("令牌", "Token")
        case .tokenRefused: ("令牌无效或已过期，请重新获取。", "The token is wrong or has ended: get a new one.")
        case .signingIn: ("正在登录…", "Signing in…")
        case .signOut: ("退出", "Sign out")
        case .skipToContent: ("跳到正文", "Skip to content")
        case .searchStudies: ("检索检查", "Search studies")
        case .name: ("姓名", "Name")
        case .nameHint: ("汉字、拼音或英文", "characters, Pinyin or Latin")
        case .patientID: ("患者编号", "Patient ID")
        case .accession: ("检查号", "Accession number")
        case .dateFrom: ("日期自", "From")
        case .dateTo: ("日期至", "To")
        case .modality: ("设备类型", "Modality")
        case .anyModality: ("全部", "Any")
        case .search: ("检索", "Search")
        case .clear: ("清空", "Clear")
        case .studies: ("检查", "Studies")
        case .noStudies: ("没有符合条件的检查。", "No study matches.")
        case .searching: ("正在检索…", "Searching…")
        case .found: ("共列出", "Listed:")
        case .sex: ("性别", "Sex")
        case .birthDate: ("出生日期", "Born")
        case .studyDate: ("检查日期", "Study date")
        case .description: ("描述", "Description")
        case .seriesAndImages: ("序列 / 图像", "Series / images")
        case .previousPage: ("上一页", "Previous page")
        case .nextPage: ("下一页", "Next page")
        case .page: ("页", "Page")
        case .failed: ("出错了，请重试。", "Something went wrong: try again.")
        case .signedOut: ("登录已过期，请重新登录。", "The session has ended: sign in again.")
        case .notFound: ("这里没有该检查。", "There is no such study here.")
        case .offline: ("无法连接服务，请检查后重试。", "The service cannot be reached: check it and try again.")
        case .retry: ("重试", "Try again")
        case .back: ("返回列表", "Back to the list")
        case .series: ("序列", "Series")
        case .images: ("幅", "images")
        case .image: ("图像", "Image")
        case .loading: ("正在加载…", "Loading…")
        case .noPreview: ("无缩略图", "No preview")
        case .tools: ("工具", "Tools")
        case .toolWindow: ("窗宽窗位", "Window")
        case .toolPan: ("平移", "Pan")
        case .toolZoom: ("缩放", "Zoom")
        case .toolScroll: ("翻页", "Scroll")
        case .toolMeasure: ("测量", "Measure")
        case .presets: ("预设窗", "Preset")
        case .ownWindow: ("图像自带", "Own")
        case .lung: ("肺窗", "Lung")
        case .bone: ("骨窗", "Bone")
        case .softTissue: ("软组织窗", "Soft tissue")
        case .brain: ("脑窗", "Brain")
        case .mediastinum: ("纵隔窗", "Mediastinum")
        case .liver: ("肝窗", "Liver")
        case .wholeRange: ("全范围", "Whole range")
        case .fit: ("适应", "Fit")
        case .actualSize: ("原始大小", "1:1")
        case .invert: ("反相", "Invert")
        case .rotate: ("旋转", "Rotate")
        case .flipHorizontal: ("左右翻转", "Flip ↔")
        case .flipVertical: ("上下翻转", "Flip ↕")
        case .play: ("播放", "Play")
        case .pause: ("暂停", "Pause")
        case .rate: ("速度", "Rate")
        case .perSecond: ("帧/秒", "per second")
        case .slice: ("层", "Slice")
        case .frame: ("帧", "Frame")
        case .metadata: ("属性", "Attributes")
        case .filter: ("筛选：标签、名称或值", "Filter: tag, keyword or value")
        case .close: ("关闭", "Close")
        case .tag: ("标签", "Tag")
        case .keyword: ("名称", "Keyword")
        case .value: ("值", "Value")
        case .help: ("按键说明", "Keys")
        case .reset: ("复位", "Reset")
        case .clearMeasurements: ("清除测量", "Clear")
        case .pixels: ("像素（无标定）", "pixels (no spacing known)")
        case .millimetres: ("毫米", "mm")
        case .atDetector: ("毫米（探测器平面）", "mm (at the detector)")
        case .noImages: ("该检查没有可显示的图像。", "The study has no image that can be shown.")
        case .cannotShow: ("该图像无法显示", "This image cannot be shown")
        case .windowLabel: ("窗位/窗宽", "C/W")
        case .zoomLabel: ("缩放", "Zoom")
        case .lossy: ("有损压缩", "lossy compression")
        case .keysHelp:
            (
                "↑ ↓ PgUp PgDn Home End：翻页 · 空格：播放/暂停 · , . ：窗位 · < > ：窗宽 · 0–9：预设窗 · + −：缩放 · "
                    + "Shift+方向键：平移 · f：适应 · o：原始大小 · i：反相 · r：旋转 · h v：翻转 · w p z s m：工具 · "
                    + "测量时 方向键：移动光标，回车：定点，Delete：清除 · n b：下/上一序列 · t：属性 · Esc：复位",
                "↑ ↓ PgUp PgDn Home End: slices · space: play/pause · , . : centre · < > : width · 0–9: presets · "
                    + "+ −: zoom · Shift+arrows: pan · f: fit · o: 1:1 · i: invert · r: rotate · h v: flip · w p z s m: "
                    + "tools · measuring: arrows move the cross, Enter sets a point, Delete clears · n b: next/previous "
                    + "series · t: attributes · Esc: reset"
            )
        case .imageRegion: ("图像，按 ? 查看按键说明", "Image; press ? for the keys")
        case .measureHint: ("拖动测量距离", "Drag to measure a length")
        case .thickness: ("层厚", "Thickness")
        case .binary: ("二进制数据", "binary data")
        case .truncated: ("属性过多，只列出一部分", "Too many attributes: only some are listed")
        case .arriving: ("已到 {there} 幅，正从 {site} 传来", "{there} images so far, arriving from {site}")
        case .arrivingOf:
            ("已到 {there} / {announced} 幅，正从 {site} 传来", "{there} of {announced} images, arriving from {site}")
        case .arrivalEnded:
            ("传输已被取消，已到的图像不再保留。", "The transfer was given up: what had come of the study is gone.")
        case .rendered: ("服务端渲染", "rendered by the service")
        }
    }

    /// All of them as a JSON object, good within a script element.
    static func json(_ language: Language) -> String {
        let pairs = allCases.map { "\"\($0.rawValue)\":\(quoted($0.text(language)))" }
        return "{" + pairs.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\\(scalar)"
            // A tag must not end the element it stands in.
            case "<", ">", "&": result += "\\u00" + String(scalar.value, radix: 16)
            case _ where scalar.value < 0x20: result += " "
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
