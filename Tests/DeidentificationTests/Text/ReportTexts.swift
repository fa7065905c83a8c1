/// Texts as they stand in reports, with nothing in them that says whose they are.
enum ReportTexts {
    static let chinese = [
        "胸部CT平扫：双肺纹理清晰，右肺上叶尖后段见一磨玻璃结节，大小约8mm×6mm，边缘光滑，CT值约-650HU。纵隔居中，心影不大，主动脉壁钙化。",
        "肝脏大小、形态正常，肝右叶S8段见类圆形低密度影，约1.2cm×1.5cm，增强扫描动脉期明显强化，门静脉期廓清。胆囊壁增厚，胆总管直径约0.8 cm。双肾、脾、胰未见异常。",
        "患者高热，体温39.2℃，于今日转入ICU。患者黄疸明显，患者左侧肢体乏力3天，患者白细胞升高，患者石膏固定。",
        "双侧上颌窦粘膜增厚，左侧为著。尿路上皮癌术后。左心室壁增厚，侧脑室扩大，室间隔厚度12mm，肺动脉干28mm。",
        "1. 腰椎退行性变：L3/4、L4/5、L5/S1椎间盘膨出，椎管狭窄。2. 骶管囊肿。3. 右侧股骨头坏死（Ficat II期）。建议结合临床。",
        "MRI：左侧额叶见一大小约3.2cm×2.8cm×2.5cm占位，T1WI呈低信号，T2WI呈高信号，FLAIR高信号，DWI弥散受限，ADC值约0.8×10^-3mm²/s。增强后明显不均匀强化。考虑高级别胶质瘤。",
        "超声所见：甲状腺左叶大小约4.5×1.6×1.5cm，内见低回声结节，TI-RADS 4a类。双侧颈部未见异常肿大淋巴结。",
        "冠脉CTA：LAD近段混合斑块，管腔狭窄约50-69%；LCX、RCA未见明显狭窄。左室射血分数LVEF 62%。钙化积分125分。",
        "病理诊断：（右乳）浸润性导管癌，II级，ER(+，90%)，PR(+，80%)，HER2(2+)，Ki-67约30%。淋巴结2/15见癌转移。pT2N1M0。",
        "胃镜：慢性萎缩性胃炎(C2)，Hp(+)。黄色瘤。食管距门齿25cm处见隆起。十二指肠球部溃疡A1期。",
        "患者于门诊行高分辨CT，余肺野清晰。患者全身麻醉下手术，家属同意手术。病人平卧位。患者安静状态下心率72次/分。孕妇孕25周+3天。",
        "层面：第12号层面；左肾区叩击痛；肝区、脾区；心前区；肺门区；额区、枕区；第三脑室；输尿管通道；左室流出道；肠道；胆道；门静脉高压。",
        "右肺2.5cm×3.1cm 12.3 45.6 78.9 23.4 16 层CT 3.0T 层厚5mm 120kV 250mA 100ml 2-3天 3月前 5年前 90% 95次/分 第90天 90 mm",
        "主任医师查房后，副主任医师、主治医师与责任护士讨论。向医生咨询，与医生沟通。每日3次，第3-5肋骨骨折。1-2月复查。20-30岁多见。",
        "舌淡红，苔薄白，脉弦细。心脾两虚证。予归脾汤加减：黄芪15g，党参12g，白术10g，当归10g，甘草6g。针刺足三里、三阴交。",
        "全腹平软，无压痛、反跳痛，肝脾肋下未及，移动性浊音阴性。双下肢无水肿。生理反射存在，病理反射未引出。血压130/80mmHg，脉搏78次/分。",
    ]

    static let english = [
        "CT CHEST WITHOUT CONTRAST: No pulmonary embolism. Normal heart size. 5 mm nodule in the right upper lobe (series 3, image 45). "
            + "T2 FLAIR hyperintensity. DR chest PA.",
        "MR BRAIN WITHOUT AND WITH GADOLINIUM. There is a 2.3 x 1.9 cm enhancing mass in the left temporal lobe with surrounding "
            + "vasogenic edema. Midline shift 4 mm. White matter disease, Fazekas grade 2.",
        "Impression: 1. Acute cholecystitis. 2. Hepatic steatosis. 3. Colles fracture of the left wrist. Recommend follow-up in 6-12 "
            + "months per Fleischner criteria. BI-RADS 4A.",
        "MS: multiple sclerosis plaques. MR ANGIOGRAPHY. CC: chest pain. PT: 12.5 s, INR 1.1. ID 5. Bed rest. Case discussed. Room air 98%.",
        "BP 120/80. Ratio 1.5-2.0. C5/6 L4-5. ST segment. 3-0 suture. 1:100. Time 10:20:30. Frames 1-64 of 128. kVp 120, mAs 250, 0.625 mm.",
        "AX T1 FSE FS +C", "SAG T2 FLAIR 3MM", "Abdomen^Liver Routine (Adult)", "Chest 1V PA", "t2_tse_tra_320_p2",
        "ep2d_diff_3scan_trace_ADC",
        "Patient: supine. Patient is a 65-year-old man with fever. The patient may have walked. March fracture. May represent atelectasis.",
        "Doctor recommends MRI. Physician: pending. Attending discussed findings. Son and daughter healthy. Height 170 cm, weight 65.5 kg.",
    ]
}
