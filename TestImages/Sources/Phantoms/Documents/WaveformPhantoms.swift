import DICOM

/// A 12-lead electrocardiogram and the arterial pulse waves of pulse diagnosis. PS3.3 §A.34.3 and §A.34.8.
enum WaveformPhantoms {
    static let recipes: [TomographyPhantoms.Recipe] = [electrocardiogram, pulse]

    /// A deflection of the heart's electrical axis: seconds into the beat, width in seconds, millivolts.
    private struct Wave {
        var time: Double
        var width: Double
        /// Along lead I, along lead aVF and forward, that is to V2.
        var vector: (left: Double, down: Double, forward: Double)
    }

    private static let beat = [
        Wave(time: 0.16, width: 0.022, vector: (0.08, 0.12, 0.05)),
        Wave(time: 0.290, width: 0.008, vector: (-0.05, -0.08, 0.25)),
        Wave(time: 0.315, width: 0.012, vector: (0.80, 0.95, -0.55)),
        Wave(time: 0.342, width: 0.010, vector: (-0.12, -0.10, -0.60)),
        Wave(time: 0.55, width: 0.050, vector: (0.22, 0.20, 0.25)),
    ]

    private static let leads: [(Code, (left: Double, down: Double, forward: Double))] = [
        (Code("2:1", "MDC", "Lead I"), (1, 0, 0)), (Code("2:2", "MDC", "Lead II"), (0.5, 0.87, 0)),
        (Code("2:61", "MDC", "Lead III"), (-0.5, 0.87, 0)),
        (Code("2:62", "MDC", "aVR, augmented voltage, right"), (-0.75, -0.435, 0)),
        (Code("2:63", "MDC", "aVL, augmented voltage, left"), (0.75, -0.435, 0)),
        (Code("2:64", "MDC", "aVF, augmented voltage, foot"), (0, 0.87, 0)),
        (Code("2:3", "MDC", "Lead V1"), (-0.4, 0.1, 0.9)), (Code("2:4", "MDC", "Lead V2"), (0.1, 0.1, 1.1)),
        (Code("2:5", "MDC", "Lead V3"), (0.5, 0.15, 0.8)), (Code("2:6", "MDC", "Lead V4"), (0.9, 0.2, 0.4)),
        (Code("2:7", "MDC", "Lead V5"), (1.0, 0.2, 0.1)), (Code("2:8", "MDC", "Lead V6"), (0.95, 0.2, -0.1)),
    ]

    private static func electrocardiogram(_ seed: Seed) -> Phantom {
        let visit = Visit(key: "ecg", subject: .heShubai, description: "十二导联心电图", date: "20260119")
        let series = Series(visit: visit, key: "ecg", number: 1, modality: "ECG", description: "静息 10 s")
        var phantom = Phantom(
            "ecg-12-lead", shows: "12-lead ECG: regular beats at 75 a minute, 10 seconds at 500 Hz",
            sopClassUID: SOPClassUID.twelveLeadECG, series: series, number: 1, seed: seed)
        var numbers = seed.numbers("ecg")
        let sampleCount = 5000
        var data: [UInt8] = []
        data.reserveCapacity(sampleCount * leads.count * 2)
        for index in 0..<sampleCount {
            let time = (Double(index) / 500).truncatingRemainder(dividingBy: 0.8)
            let bells = beat.map { Curve.bell(time, center: $0.time, width: $0.width) }
            for (_, axis) in leads {
                var millivolts = 0.0
                for (wave, bell) in zip(beat, bells) {
                    let vector = wave.vector
                    millivolts +=
                        bell * (vector.left * axis.left + vector.down * axis.down + vector.forward * axis.forward)
                }
                append(millivolts * 1000 + 6 * numbers.noise(), to: &data)
            }
        }
        let channels = leads.map { channel($0.0, label: nil, unit: Code("uV", "UCUM", "microvolt"), skew: 0) }
        putWaveform(
            of: &phantom, channels: channels, sampleCount: sampleCount, frequency: 500, data: data, label: "RHYTHM")
        phantom.dataset.put("AcquisitionContextSequence", .empty)
        return phantom
    }

    /// One channel is all that the IOD allows: the radial artery at the middle position, guan.
    private static func pulse(_ seed: Seed) -> Phantom {
        let visit = Visit(key: "pulse", subject: .luTingzhou, description: "切诊 脉象", date: "20260120")
        let series = Series(visit: visit, key: "pulse", number: 1, modality: "HD", description: "左关 中取")
        var phantom = Phantom(
            "pulse-wave", shows: "Arterial pulse waveform: percussion, tidal and dicrotic wave, 60 s at 200 Hz",
            sopClassUID: SOPClassUID.arterialPulse, series: series, number: 1, seed: seed)
        var numbers = seed.numbers("pulse")
        let sampleCount = 12_000
        var data: [UInt8] = []
        for index in 0..<sampleCount {
            let seconds = Double(index) / 200
            let time = seconds.truncatingRemainder(dividingBy: 0.85)
            let pressure =
                70 + 45 * Curve.bell(time, center: 0.16, width: 0.055) + 22
                * Curve.bell(time, center: 0.31, width: 0.07)
                + 14 * Curve.bell(time, center: 0.47, width: 0.06) + 2 * Curve.sine(2 * .pi * seconds / 4.25)
            append(pressure * 100 + 8 * numbers.noise(), to: &data)
        }
        let source = Code("109116", "DCM", "Arterial Pulse Waveform")
        let unit = Code("mm[Hg]", "UCUM", "mmHg")
        putWaveform(
            of: &phantom,
            channels: [channel(source, label: "左关", unit: unit, sensitivity: 0.01, baseline: 0, skew: 0)],
            sampleCount: sampleCount, frequency: 200, data: data, label: "PULSE")
        phantom.dataset.put("AcquisitionContextSequence", .empty)
        return phantom
    }

    private static func append(_ value: Double, to data: inout [UInt8]) {
        let word = UInt16(bitPattern: Int16(min(32_767, max(-32_768, value.rounded()))))
        data.append(UInt8(truncatingIfNeeded: word))
        data.append(UInt8(word >> 8))
    }

    private static func channel(
        _ source: Code, label: String?, unit: Code, sensitivity: Double = 1, baseline: Double = 0, skew: Double
    ) -> Dataset {
        var channel = Dataset([
            "ChannelSourceSequence": .code(source), "ChannelSensitivity": .decimal(sensitivity),
            "ChannelSensitivityUnitsSequence": .code(unit), "ChannelSensitivityCorrectionFactor": 1,
            "ChannelBaseline": .decimal(baseline), "ChannelSampleSkew": .decimal(skew), "WaveformBitsStored": 16,
            "FilterLowFrequency": 0.05, "FilterHighFrequency": 100,
        ])
        if let label { channel.put("ChannelLabel", .text(label)) }
        return channel
    }

    /// Waveform Identification and Waveform modules. PS3.3 §C.10.8 and §C.10.9.
    private static func putWaveform(
        of phantom: inout Phantom, channels: [Dataset], sampleCount: Int, frequency: Int, data: [UInt8], label: String
    ) {
        let dateTime = (phantom.dataset.string(.studyDate) ?? "") + (phantom.dataset.string(.studyTime) ?? "")
        phantom.dataset.put([
            "AcquisitionDateTime": .text(dateTime),
            "WaveformSequence": .item([
                "WaveformOriginality": "ORIGINAL",
                "NumberOfWaveformChannels": .number(channels.count), "NumberOfWaveformSamples": .number(sampleCount),
                "SamplingFrequency": .number(frequency), "MultiplexGroupLabel": .text(label),
                "ChannelDefinitionSequence": .items(channels), "WaveformBitsAllocated": 16,
                "WaveformSampleInterpretation": "SS", "WaveformData": .words(data),
            ]),
        ])
    }
}
