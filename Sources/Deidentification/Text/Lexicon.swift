/// Words that are no names, though they stand where names stand or are spelled as some are.
enum Lexicon {
    /// Whether a word in capital letters is one of English or of medicine, or somebody's that medicine is full of.
    static func isWord(_ word: String) -> Bool {
        isListed(word) || word.utf8.count >= 6 && endings.contains { word.hasSuffix($0) }
    }

    /// The same without judging a word by its ending, as many surnames end so too.
    static func isListed(_ word: String) -> Bool { english.contains(word) || eponyms.contains(word) }

    /// Whether a word in capital letters is one of English or of medicine.
    static func isOrdinary(_ word: String) -> Bool { english.contains(word) }

    /// What stands for a name where there is none.
    static func isPlaceholder(_ word: String) -> Bool { placeholders.contains(word) || titles.contains(word) }

    /// What stands beside a name in one value with it.
    static func isTitle(_ word: String) -> Bool { titles.contains(word) }

    /// Whether ideographs at a place begin a word of a report rather than a name.
    static func beginsWord(_ units: [UInt32], at index: Int) -> Bool {
        chinese.longest(in: units, at: index, isWhole: { _ in true }) != nil
    }

    /// Whether ideographs are a word that is commonly used, of two characters and more.
    static func isChineseWord(_ units: [UInt32]) -> Bool {
        chinese.longest(in: units, at: 0, isWhole: { $0 == units.count })?.end == units.count
    }

    /// The end of a word that ends a name; nil when none begins there.
    static func endOfStop(_ units: [UInt32], at index: Int) -> Int? {
        stops.longest(in: units, at: index, isWhole: { _ in true })?.end
    }

    private static let endings = [
        "ITIS", "OSIS", "OMA", "EMIA", "PATHY", "ECTOMY", "GRAPHY", "TION", "SION", "ICAL", "OUS", "ISM", "ING", "ITY",
        "MENT",
        "ENCE", "ANCE", "SCOPY", "PLASTY", "OTOMY", "STOMY", "URIA", "ALGIA", "ESIS", "ATED", "IZED", "ALLY", "NESS",
        "ABLE",
        "IBLE", "TERIOR", "LATERAL", "CULAR", "GRAM", "LOGY", "LOGIC", "STIC", "TRAST", "CARDIAL", "RENAL", "HEPATIC",
    ]

    private static let placeholders: Set<String> = [
        "ANONYMOUS", "ANONYMIZED", "ANON", "UNKNOWN", "NONE", "NULL", "NA", "N/A", "TEST", "PHANTOM", "PATIENT", "NAME",
        "NONAME", "NOBODY", "REMOVED", "DEIDENTIFIED", "QA", "QC", "SERVICE", "ADMIN", "USER", "DOCTOR", "OPERATOR",
        "STAFF",
        "TECH", "DEFAULT", "SYSTEM", "UNSPECIFIED", "UNDEFINED", "EMPTY", "匿名", "未知", "无", "不详", "姓名", "患者", "病人", "测试",
        "医生",
        "医师", "技师", "未填", "空", "无名氏", "匿名化", "去标识化",
    ]

    private static let titles: Set<String> = [
        "DR", "MD", "PHD", "PROF", "MR", "MRS", "MS", "RN", "JR", "SR", "II", "III", "IV", "RT", "PROFESSOR", "MISS",
        "教授", "主任", "先生",
        "女士",
    ]

    private static let eponyms = Set(
        """
        FLEISCHNER HOUNSFIELD COUINAUD BOSNIAK KELLGREN LAWRENCE GARDEN SCHATZKER WEBER SALTER HARRIS STANFORD DEBAKEY CHILD PUGH APGAR GLASGOW
        PARKINSON ALZHEIMER CROHN HODGKIN GRAVES CUSHING ADDISON BARRETT BAKER MORTON PAGET EWING WILMS FOLEY SWAN GANZ HICKMAN KIRSCHNER WILLIS
        MONRO LUSCHKA MAGENDIE CHIARI DANDY WALKER MECKEL KERLEY SCHMORL HILL SACHS BANKART COLLES JONES POTT CHARCOT KIENBOCK PERTHES SCHEUERMANN
        OSGOOD SCHLATTER GLEASON COUVADE VIRCHOW TROISIER RICHTER SPIEGEL SPIGELIAN BOCHDALEK MORGAGNI
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    private static let english = Set(
        """
        A AN AND ANY ARE AS AT BE BUT BY CAN DID DO DUE FEW FOR FROM GET GO HAD HAS HAVE HE HER HIS HOW I IF IN IS IT ITS LET MAY ME MEN MORE MOST
        MUST MY NEW NO NOR NOT NOW OF OFF OLD ON ONE OR OUR OUT OVER OWN PER PUT SAME SAW SEE SET SHE SO SOME SUCH TEN THAN THAT THE THEIR THEM THEN
        THERE THESE THEY THIS THUS TO TOO TWO UP US USE WAS WE WELL WERE WHAT WHEN WHERE WHICH WHILE WHO WHY WILL WITH YES YET YOU YOUR BOTH EACH
        ALSO ALL AFTER AGAIN ABOVE ABOUT BEFORE BELOW BETWEEN DURING FURTHER HERE INTO ONCE ONLY OTHER UNDER UNTIL VERY WITHIN WITHOUT FIRST SECOND
        THIRD LAST NEXT PRIOR SINCE BEEN BEING DOES DONE MADE MAKE MANY MUCH NEAR NEED SEEN SHOW SHOWN SHOWS SIDE TAKE TIME TYPE USED USING VIEW WAY
        WEEK WEEKS YEAR YEARS MONTH MONTHS DAY DAYS HOUR HOURS MINUTE TODAY DATE AGE SEX MALE FEMALE WOMAN MAN BOY GIRL CHILD INFANT ADULT PATIENT
        PATIENTS HISTORY EXAM STUDY SERIES IMAGE IMAGES SCAN SCANS PLAIN FILM REPORT RESULT RESULTS FINDING FINDINGS IMPRESSION CONCLUSION TECHNIQUE
        COMPARISON INDICATION CLINICAL NOTE NOTES COMMENT PROTOCOL PROCEDURE DIAGNOSIS TREATMENT THERAPY SURGERY BIOPSY FOLLOW FOLLOWUP STATUS POST
        PRE ACUTE CHRONIC MILD MODERATE SEVERE NORMAL ABNORMAL STABLE UNSTABLE LARGE SMALL TINY BIG LITTLE LONG SHORT BROAD NARROW THICK THIN HIGH LOW
        LEFT RIGHT UPPER LOWER MIDDLE MID INNER OUTER FRONT BACK REAR TOP BOTTOM BASE APEX HEAD NECK CHEST BREAST HEART LUNG LUNGS LIVER SPLEEN KIDNEY
        KIDNEYS BRAIN SPINE BONE BONES SKULL FACE NOSE EYE EYES EAR EARS MOUTH LIP LIPS TONGUE TOOTH TEETH JAW THROAT SHOULDER ARM ARMS ELBOW FOREARM
        WRIST HAND HANDS FINGER FINGERS THUMB HIP HIPS LEG LEGS THIGH KNEE KNEES ANKLE FOOT FEET TOE TOES HEEL CALF SKIN FAT MUSCLE NERVE VEIN VEINS
        ARTERY AORTA VALVE BOWEL COLON RECTUM STOMACH DUODENUM ILEUM JEJUNUM APPENDIX PANCREAS GALLBLADDER BILE DUCT DUCTS BLADDER URETER URETERS
        URETHRA PROSTATE UTERUS OVARY OVARIES TESTIS ADRENAL THYROID PITUITARY THYMUS LYMPH NODE NODES MASS MASSES LESION LESIONS NODULE NODULES CYST
        CYSTS TUMOR TUMOUR CANCER FRACTURE FRACTURES EFFUSION EDEMA OEDEMA PNEUMONIA EMPHYSEMA FIBROSIS CALCIFICATION HEMORRHAGE HAEMORRHAGE INFARCT
        ISCHEMIA STROKE STENOSIS OCCLUSION THROMBUS EMBOLUS EMBOLISM ANEURYSM DISSECTION HERNIA STONE STONES CALCULUS ULCER POLYP ABSCESS GAS AIR FLUID
        BLOOD WATER CONTRAST ENHANCED UNENHANCED NONCONTRAST AXIAL SAGITTAL CORONAL OBLIQUE LATERAL FRONTAL DORSAL VENTRAL PROXIMAL DISTAL MEDIAL
        ANTERIOR POSTERIOR SUPERIOR INFERIOR SUPINE PRONE ERECT STANDING LOBE LOBES SEGMENT SEGMENTS HILUM HILAR PLEURA PLEURAL CAVITY WALL FISSURE
        SINUS SINUSES ORBIT ORBITS ORBITAL MAXILLA MANDIBLE CERVICAL THORACIC LUMBAR SACRAL SACRUM COCCYX PELVIS PELVIC ABDOMEN ABDOMINAL THORAX
        CARDIAC CORONARY CAROTID VERTEBRAL CEREBRAL HEPATIC RENAL SPLENIC PORTAL ILIAC FEMORAL POPLITEAL TIBIAL TIBIA FIBULA FEMUR HUMERUS RADIUS ULNA
        RIB RIBS STERNUM CLAVICLE SCAPULA PATELLA CALCANEUS TALUS DISC DISCS DISK CORD CANAL FORAMEN FACET JOINT JOINTS LIGAMENT TENDON MENISCUS
        CARTILAGE MARROW CORTEX CORTICAL MATTER WHITE GRAY GREY BLACK BROWN GREEN BLUE RED YELLOW ROSE PINK FIELD YOUNG PRICE STRONG RICH POOR GOOD BAD
        BEST BETTER WORSE WORST PAIN FEVER COUGH MASSIVE FOCAL DIFFUSE LOCAL PATCHY LINEAR ROUND OVAL SOLID CYSTIC CLEAR DENSE DENSITY SIGNAL INTENSITY
        SIZE SHAPE VOLUME RATE RATIO INDEX LEVEL LEVELS LINE LINES AREA AREAS REGION ZONE ZONES PART PARTS WHOLE TOTAL PARTIAL COMPLETE NEGATIVE
        POSITIVE POSSIBLE PROBABLE LIKELY UNLIKELY SUSPECTED RULE OUT EVIDENCE RECOMMEND RECOMMENDED SUGGEST SUGGESTED SUGGESTS CONSIDER CONSISTENT
        COMPATIBLE CORRELATE CORRELATION LIMITED MOTION ARTIFACT ARTIFACTS QUALITY ADEQUATE DEGRADED MILLION GRAM DOSE DRUG DRUGS ORAL TABLET DAILY
        HOSPITAL CLINIC WARD ROOM BED DEPARTMENT UNIT EMERGENCY MEDICINE RADIOLOGY SURGICAL MEDICAL HEALTH CARE NURSE DOCTOR PHYSICIAN SURGEON
        RADIOLOGIST TECHNOLOGIST OPERATOR STAFF NAME NUMBER CODE PHONE ADDRESS CITY STREET ROAD STATE COUNTRY MAIN WEST EAST NORTH SOUTH CENTRAL
        MARCH APRIL JUNE JULY AUGUST MONDAY TUESDAY WEDNESDAY THURSDAY FRIDAY SATURDAY SUNDAY JAN FEB MAR APR JUN JUL AUG SEP SEPT OCT NOV DEC JANUARY
        FEBRUARY SEPTEMBER OCTOBER NOVEMBER DECEMBER WINDOW LUNGWINDOW SOFT TISSUE TISSUES HARD STANDARD SHARP SMOOTH KERNEL FILTER SLICE SLICES SLAB
        THICKNESS SPACING RAY RAYS XRAY CT MR MRI MRA PET SPECT US DR CR DX MG NM XA RF PT ECG EKG EEG EMG TEE TTE DSA CTA CTV MRCP ERCP HRCT CBCT LDCT
        MIP MPR VR SSD FLAIR DWI ADC SWI TOF TSE FSE GRE EPI STIR SPAIR DIXON VIBE LAVA THRIVE BOLD DTI ASL PWI TIRM HASTE TRUFI FIESTA BLADE PROPELLER
        AP PA LAT LL RL RLL LLL RUL LUL RML LMCA LAD LCX RCA LCA PDA SVC IVC MCA ACA PCA ICA ECA VA BA CCA SMA IMA SMV PV HV MPV CBD CHD GB PFO ASD VSD
        PVC COPD ARDS TB HIV HBV HCV HCC RCC NSCLC SCLC GIST IPMN UTI DVT CHF CAD MI TIA CVA SAH SDH EDH ICH IVH ALS MSA BMI BP HR RR HU SUV ROI FOV TR TE
        TI FA NEX ETL IV IM PO SC ID ED ER ICU CCU NICU PICU OR OT OPD IPD GI GU GYN OB OBGYN ENT ORTHO NEURO CARDIO PULMO PEDS ONC RAD PATH LAB LABS WBC
        RBC HGB HCT PLT CRP ESR ALT AST ALP GGT BUN CEA AFP PSA TSH LDH CK BNP INR PTT HBA HDL LDL EF LVEF LV RV LA RA AV MV TV AI AR AS MS MR PDF DICOM
        PACS RIS HIS KVP MAS MGY DLP CTDI MSV CM MM ML KG MG MCG HZ KHZ MHZ SEC MIN ACR BIRADS LIRADS PIRADS TIRADS LUNGRADS TNM WHO FIGO GLEASON
        SAVE PLEASE THANK DEAR HELLO SINCERELY REGARDS CAN TAN SUN FAN PAN DEN PEN BAN VAN HANG
        SONG TANG GANG BANG SANG RANG WANE DONE LANE LINE PINE MINE FINE WINE TONE GONE NINE LONGUS BRACHII ABNORMALITY MEDICATION CHANGE CHANGES
        INTERVAL UNCHANGED SIGNIFICANT SCATTERED BILATERAL UNILATERAL MULTIPLE SINGLE SEVERAL MARKED SUBTLE TRACE PERSISTENT RESOLVED RESOLVING
        IMPROVED PROGRESSIVE TIP TUBE CATHETER STENT CLIP CLIPS SCREW SCREWS PLATE DEVICE PACEMAKER IMPLANT GRAFT SHUNT DRAIN WIRE LEAD LEADS PORT
        ORIGIN LOCATION COMA CIRCLE SYLVIAN ROLANDIC DOPPLER DOMINANT BODY TAIL SKULLBASE WEIGHTED PHASE ARTERIAL VENOUS DELAYED NATIVE DYNAMIC PERFUSION DIFFUSION RECON LOCALIZER SCOUT
        TOPOGRAM SURVEY ROUTINE SPIRAL HELICAL SEQUENCE SEQUENTIAL
        GLAND GLANDS SCROTUM PENIS VAGINA VULVA CERVIX FETUS FETAL PLACENTA TWIN TRAUMA INJURY WOUND BURN FALL BITE STAB CRASH
        """.split(whereSeparator: \.isWhitespace).map(String.init))

    private static let chinese: WordTrie<Bool> = {
        var trie = WordTrie<Bool>()
        let words = """
            高热 高烧 高血压 高血脂 高血糖 高脂血 高密度 高信号 高回声 高强化 高度 高龄 高处 高位 高危 高分化 高级 高尿酸 高能 高代谢 高摄取 黄疸 黄染 黄体 黄斑 黄色 左侧 左肺 左肾 左心 左手 \
            左腿 左足 左膝 左肩 左髋 左眼 左耳 左乳 左上 左下 左前 左后 左右 左叶 左室 左房 左颈 左胸 左腹 左腰 左臂 左踝 左腕 左肘 左股 左胫 左额 左顶 左颞 左枕 左主 左附 左卵 左输 左锁 左肋 左半 左旋 左冠 \
            石膏 石棉 石灰 车祸 白细胞 白蛋白 白带 白血病 白质 白斑 白癜 白内障 安静 安置 全身 全腹 全部 全天 全麻 全程 全血 全肺 全子宫 时有 时间 时而 应用 应激 应予 方可 方式 方法 方案 常规 常伴 常有 \
            常见 常年 常于 明显 明确 明日 平素 平时 平卧 平扫 平均 平片 平稳 单侧 单发 单纯 单肾 单孔 单核 相关 相应 相对 相邻 成人 成功 成形 成年 关节 关于 关注 关腹 关闭 马上 马蹄 马尾 马氏 金属 金黄 金葡 路过 路人 \
            和谐 文化 国内 国外 国家 公斤 公分 公共 水肿 水样 水泡 解剖 解便 解除 解热 计划 计算 计数 支气管 支架 支原体 支持 支具 利尿 利用 干咳 干预 干燥 干扰 干性 向上 向下 向前 向后 向内 向外 向量 连续 连接 过敏 来院 \
            来我院 来诊 来自 于今 于昨 于入 于外 于当 于我 于上 于本 于家 于行 于术 于无 于前 于活 于饮 于进 于运 于劳 于受 于夜 于晨 于凌 于早 于晚 于半 于月 门诊 门静脉 门脉 门齿 向心 原发 原因 原位 原有 原始 位于 位置 强化 强回声 强直 强阳性 \
            云雾 云絮 容积 容量 花斑 花生 米粒 米糊 毛刺 毛发 毛囊 毛细 毛玻璃 江米 汤剂 温度 温和 温水 武装 苗条 包块 包膜 包虫 包裹 包皮 包括 房颤 房间隔 房室 房水 房扑 房性 房间 皮肤 皮下 皮疹 皮质 皮层 皮瓣 皮损 皮髓 \
            权重 农民 师傅 司机 宫颈 宫腔 宫内 宫外 宫缩 宫体 宫底 党员 景深 冷汗 冷冻 冷敷 连声 查体 查看 查房 查因 查血 查见 楼梯 麻木 麻醉 麻痹 麻疹 海绵 海马 海鲜 游走 游离 游泳 简单 简易 屈曲 屈光 屈膝 项部 项强 \
            易怒 易激 易疲 易出 易感 易位 陆续 申请 任何 任意 丁酸 万元 余未 余无 余如 余各 余肺 余所 余脑 余腹 余肝 余双 余骨 余椎 余鼻 余者 余正 余部 余可 余不 余均 范围 许可 许多 何时 何种 程度 程序 苏醒 沈着 林立 谷草 谷丙 谷氨 \
            谷胱 钟摆 田径 段性 史密 陶土 顾虑 康复 常染 牛奶 牛皮 齐全 龙胆 雷诺 严重 严密 孔隙 孔径 孔洞 向患 巴氏 巴宾 戈谢 司匹 初步 初诊 初期 初产 初次 平滑 都有 都无 由于 由此 由家 由外 由急 由门 由我 由患 由本 \
            阴性 阴影 阴道 阴茎 阴囊 阴部 阴天 阳性 阳痿 元素 信号 信息 展开 展神经 富血供 富含 富营养 植入 植皮 植物 奉献 衡量 幸好 闭合 闭塞 闭锁 闭经 甘油 甘露 甘草 冉冉 官能 封闭 封堵 谈话 伏案 薄层 薄壁 薄白 薄黄 利多 况且 印象 \
            那么 但无 但未 但是 但仍 但可 居住 居民 索条 索状 乌头 乌青 母亲 母细胞 羊水 羊膜 普通 普外 普遍 阿司匹林 阿托 阿莫 阿奇 阿尔茨海默 修复 修补 修正 隆起 隆突 隆胸 玉米 危重 危险 危急 公安 战伤 \
            患者 病人 医院 医生 医师 主任 科室 男性 女性 男 女 本次 入院 出院 住院 目前 现病史 既往 主诉 体格 检查 诊断 治疗 手术 术后 术前 术中 建议 影像 报告 印象 结论 所见 提示 考虑 可见 未见 正常 异常 右侧 右肺 胸部 腹部 头颅 \
            颈部 腰椎 盆腔 上肢 下肢 平安 健康 国庆 中秋 和平 建设 光明 春天 东方 正中 中正 大小 大量 小量 少量 中度 轻度 重度 清晰 清楚 光滑 光整 新生 新发 新鲜 发生 发展 发病 成立 永久 长期 长大 志愿 天然 自然 自由 海洋 山区 \
            明亮 光亮 清亮 通畅 通过 通常 顺利 利多卡因 一般 一过性 三尖瓣 二尖瓣 四肢 五官 子宫 小儿 小肠 大肠 大便 小便 大脑 小脑 中耳 中枢 中心 中叶 正位 正侧位 立位 家属 家族 文献 学习 学生
            """
        for word in words.split(whereSeparator: \.isWhitespace) {
            trie.insert(FoldedText.units(of: String(word)), true)
        }
        return trie
    }()

    private static let stops: WordTrie<Bool> = {
        var trie = WordTrie<Bool>()
        let words = """
            性别 男 女 年龄 岁 住院 门诊 急诊 科 床 诊断 检查 医师 医生 主任 副主任 主治 教授 护士 护师 技师 于 因 的 是 为 在 与 及 来 已 曾 有 无 诉 自述 自诉 自觉 主诉 签 先生 女士 小姐 大夫 电话 手机 身份 出生 日期 时间 审核 报告 \
            记录 操作 书写 申请 送检 会诊 地址 住址 民族 职业 婚姻 籍贯 单位 床号 编号 病历 病案 临床 影像 入院 出院 手术 麻醉 说 称 到 由 经 请 被 把 将 对 向 从 之 其 本 该 我院 患者 病人 家属 联系 等 也 都 就 又 再 并 且 但 了 着 过 行 做 \
            完成 同意 要求 表示 现 今 昨 前 后 现年 拒绝 陪同 签名 签字 证件 同志 老师 院长 主管
            """
        for word in words.split(whereSeparator: \.isWhitespace) {
            trie.insert(FoldedText.units(of: String(word)), true)
        }
        return trie
    }()
}
