/// What the page of transfers says.
enum TransferPhrase: String, CaseIterable, Sendable {
    case transfers, how, none, direction, sending, receiving, site, state, objects, bytes, rate, resent, since, note
    case name, images, open, of
    case waiting, underWay, paused, quiet, givenUp, complete, cancelled

    init(_ phase: TransferRow.Phase) {
        self =
            switch phase {
            case .waiting: .waiting
            case .underWay: .underWay
            case .paused: .paused
            case .quiet: .quiet
            case .givenUp: .givenUp
            case .complete: .complete
            case .cancelled: .cancelled
            }
    }

    func text(_ language: Language) -> String {
        let pair = both
        return language == .chinese ? pair.0 : pair.1
    }

    /// Chinese, English.
    private var both: (String, String) {
        switch self {
        case .transfers: ("站点传输", "Transfers")
        case .how:
            (
                "与其他站点之间的检查传输，最新的在前；打开页面期间自动更新。尚未传完的检查只能从这里打开。",
                "Studies between sites, the newest first; the page keeps itself up to date while it is open. A study that "
                    + "has not wholly arrived can be opened only from here."
            )
        case .none: ("暂无传输。", "There is no transfer.")
        case .direction: ("方向", "Direction")
        case .sending: ("发往", "to")
        case .receiving: ("来自", "from")
        case .site: ("站点", "Site")
        case .state: ("状态", "State")
        case .objects: ("对象", "Objects")
        case .bytes: ("数据量", "Data")
        case .rate: ("速率", "Rate")
        case .resent: ("重传", "Sent again")
        case .since: ("开始于", "Since")
        case .note: ("说明", "Note")
        case .name: ("编号", "Name")
        case .images: ("图像", "Images")
        case .open: ("查看已到图像", "Open what is there")
        case .of: ("/", "of")
        case .waiting: ("等待", "waiting")
        case .underWay: ("传输中", "under way")
        case .paused: ("已暂停", "paused")
        case .quiet: ("无数据", "quiet")
        case .givenUp: ("已放弃", "given up")
        case .complete: ("已完成", "complete")
        case .cancelled: ("已取消", "cancelled")
        }
    }
}
