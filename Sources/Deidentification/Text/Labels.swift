/// Words that announce what identifies somebody.
enum TextLabel: Sendable {
    /// A number of a record, bed, account; `isStrict` asks for a colon or the like behind the word.
    case record(isStrict: Bool)
    case telephone
    case resident
    case document
    case account
    case plate
    case address
    /// The name of somebody stands behind it, after a colon in any case.
    case name
    /// A person of whom other things may be said too: a name is taken for one only if it looks like one.
    case person
    /// What stands behind a name.
    case title
    /// A word of English before a name.
    case courtesy
    case birthDate

    static let trie: WordTrie<TextLabel> = {
        var trie = WordTrie<TextLabel>()
        for (words, label) in all {
            for word in words.split(separator: "|") { trie.insert(FoldedText.units(of: String(word)), label) }
        }
        return trie
    }()

    private static let all: [(String, TextLabel)] = [
        (
            """
            病历号|病案号|病历编号|病案编号|住院号|住院编号|门诊号|门诊编号|门急诊号|急诊号|检查号|检查编号|检查单号|影像号|放射号|超声号|病理号|\
            标本号|条码号|条形码|申请单号|申请号|登记号|挂号序号|就诊号|就诊卡号|诊疗卡号|病人号|患者号|患者编号|病人编号|患者ID|病人ID|病员号|\
            床号|床位号|病床号|病房号|房间号|医保号|医保卡号|社保号|社保卡号|健康卡号|健康档案号|档案号|卡号|流水号|报告编号|报告号|片号|X线号|X光号|CT号|MR号|MRI号|\
            胃镜号|内镜号|心电图号|工号|编号|序列号|设备号|住院病历号|病例号|体检号|体检编号|保险号|保单号|病区床号|唯一号|主索引|门诊病历号
            """, .record(isStrict: false)
        ),
        (
            """
            MRN|MEDICAL RECORD NUMBER|MEDICAL RECORD NO|MEDICAL RECORD|MED REC|PATIENT ID|PATIENT NO|PATIENT NUMBER|PAT ID|PATIENTID|\
            ACCESSION NUMBER|ACCESSION NO|ACCESSION|ACC NO|ACC NUM|HOSPITAL NO|HOSPITAL NUMBER|HOSPITAL ID|CHART NO|\
            CHART NUMBER|VISIT NO|VISIT NUMBER|VISIT ID|ENCOUNTER NO|ENCOUNTER ID|CASE NO|CASE NUMBER|CASE ID|ACCOUNT NO|\
            ACCOUNT NUMBER|ADMISSION NO|ADMISSION ID|INPATIENT NO|OUTPATIENT NO|ORDER NO|ORDER NUMBER|REQUISITION NO|\
            SPECIMEN NO|INSURANCE NO|POLICY NO|NHS NO|NHS NUMBER|SSN|SOCIAL SECURITY NUMBER|BED NO|ROOM NO|EMPLOYEE ID|\
            LICENSE NO|LICENCE NO|ID NUMBER|ID NO|SERIAL NO|SERIAL NUMBER|UHID|EMPI|HICN|MEDICARE NO
            """, .record(isStrict: false)
        ),
        ("ID|PID|ACC|CASE|BED|ROOM|ACCOUNT|CHART|VISIT|ORDER|LICENSE|S/N|SN", .record(isStrict: true)),
        (
            """
            电话|联系电话|手机|手机号|手机号码|电话号码|联系方式|联系人电话|家属电话|座机|传真|微信|微信号|QQ|QQ号|TEL|TELEPHONE|PHONE|PHONE NO|\
            PHONE NUMBER|MOBILE|MOBILE NO|CELL|CELL PHONE|FAX|PAGER|WECHAT|WHATSAPP|呼机|热线|分机
            """, .telephone
        ),
        ("身份证|身份证号|身份证号码|公民身份号码|居民身份证号|居民身份证|证件号|证件号码|ID CARD|ID CARD NO|IDENTITY CARD|IDENTITY NO", .resident),
        (
            """
            护照|护照号|护照号码|港澳通行证|港澳居民来往内地通行证|台胞证|台湾通行证|台湾居民来往大陆通行证|通行证|通行证号|回乡证|军官证|军官证号|士兵证|\
            驾驶证|驾驶证号|驾照|居留证|居住证|户口本|户口簿|香港身份证|澳门身份证|出生证号|出生证编号|\
            PASSPORT|PASSPORT NO|PASSPORT NUMBER|PERMIT NO|HKID|HKIC|DRIVING LICENCE|DRIVER'S LICENSE|DRIVERS LICENSE
            """, .document
        ),
        ("银行卡|银行卡号|银行账号|账号|帐号|账户|开户行|BANK CARD|CARD NO|CARD NUMBER|BANK ACCOUNT|IBAN", .account),
        ("车牌|车牌号|车牌号码|LICENSE PLATE|PLATE NO", .plate),
        (
            """
            地址|住址|家庭住址|家庭地址|现住址|现住地址|户籍地址|户口地址|通讯地址|联系地址|单位地址|工作单位|籍贯|出生地|户籍|户籍所在地|现住|家住|住在|\
            居住在|居住于|住于|邮编|邮政编码|ADDRESS|HOME ADDRESS|STREET ADDRESS|RESIDES AT|LIVES AT|LIVING AT|RESIDING AT|ZIP|ZIP CODE|POSTCODE|\
            POSTAL CODE|P.O. BOX|PO BOX
            """, .address
        ),
        (
            """
            姓名|病人姓名|患者姓名|患儿姓名|受检者姓名|受检者|联系人|联系人姓名|家属姓名|监护人|监护人姓名|紧急联系人|签名|医师签名|医生签名|患者签名|\
            家属签名|护士签名|签字|签名者|报告者|审核者|审核人|报告人|记录者|记录人|检查者|检查人|操作者|操作人|书写者|申请人|送检人|录入员|记录员|责任护士|\
            主刀|术者|一助|二助|麻醉者|器械护士|巡回护士|报告医师|报告医生|审核医师|审核医生|检查医师|检查医生|诊断医师|诊断医生|申请医师|申请医生|\
            送检医师|送检医生|主治医师|主治医生|主管医师|主管医生|经治医师|经治医生|住院医师|住院医生|会诊医师|会诊医生|手术医师|手术医生|麻醉医师|麻醉医生|\
            书写医师|书写医生|管床医师|管床医生|值班医师|值班医生|接诊医师|接诊医生|首诊医师|上级医师|转诊医师|开单医师|开单医生|检查技师|操作技师|技师|技师签名|\
            曾用名|别名|又名|化名|母亲姓名|父亲姓名|配偶姓名|产妇姓名|复核者|复核医师|初诊医师|终审医师|打印者|登记员|录入者
            """, .name
        ),
        (
            """
            患者|病人|患儿|伤者|产妇|孕妇|家属|患者家属|其子|其女|其夫|其妻|其父|其母|之子|之女|儿子|女儿|丈夫|妻子|母亲|父亲|爱人|配偶|陪同者|\
            联系家属|同事|邻居|护工|保姆|受试者|死者|逝者|名叫|叫做|本人
            """, .person
        ),
        (
            """
            先生|女士|小姐|太太|夫人|医生|医师|大夫|主任|副主任|主任医师|副主任医师|主治医师|主治医生|主治|住院医师|住院医生|主任护师|副主任护师|主管护师|护师|\
            教授|副教授|院长|副院长|所长|护士|护士长|技师|主管技师|主任技师|老师|同志|博士|院士|大爷|大妈|阿姨|伯伯|叔叔|奶奶|爷爷|老太|老人家|师傅|书记|科长|处长|\
            主刀|主任中医师|副主任中医师|中医师|药师|治疗师|规培生|研究生|同学|某某
            """, .title
        ),
        ("DR.|MR.|MRS.|MS.|MISS|PROF.|PROFESSOR|DOCTOR|NURSE|MADAM|SIR|DR|MR|MRS|MS|PROF", .courtesy),
        (
            """
            PATIENT NAME|PATIENT'S NAME|NAME|FULL NAME|SURNAME|LAST NAME|FIRST NAME|FAMILY NAME|GIVEN NAME|MAIDEN NAME|RADIOLOGIST|PHYSICIAN|\
            REFERRING PHYSICIAN|REFERRING DOCTOR|ORDERING PHYSICIAN|ATTENDING|ATTENDING PHYSICIAN|SURGEON|TECHNOLOGIST|TECHNICIAN|\
            OPERATOR|SONOGRAPHER|NEXT OF KIN|EMERGENCY CONTACT|CONTACT PERSON|SIGNED BY|ELECTRONICALLY SIGNED BY|SIGNED|\
            DICTATED BY|REPORTED BY|READ BY|REVIEWED BY|VERIFIED BY|APPROVED BY|TRANSCRIBED BY|PERFORMED BY|REFERRED BY|\
            ORDERED BY|REQUESTED BY|INTERPRETED BY|FINALIZED BY|CC|ATTN|FATHER|MOTHER|HUSBAND|WIFE|SON|DAUGHTER|GUARDIAN|PATIENT|PT
            """, .name
        ),
        ("出生日期|出生年月|生日|出生|DOB|DATE OF BIRTH|BIRTH DATE|BIRTHDATE|BORN ON|BORN", .birthDate),
    ]
}
