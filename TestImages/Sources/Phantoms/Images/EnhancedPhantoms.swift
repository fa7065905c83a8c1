import DICOM

/// Multi-frame objects with functional groups: Enhanced CT and Segmentation. PS3.3 §A.38.1 and §A.51.
enum EnhancedPhantoms {
    private static let size = 128
    private static let frameCount = 6
    private static let spacing = 2.5
    private static let visit = Visit(key: "enhanced", subject: .phantom, description: "Enhanced CT", date: "20260117")
    private static let ctSeries = Series(
        visit: visit, key: "enhanced", number: 1, modality: "CT", description: "Enhanced CT", bodyPart: "CHEST")
    private static let ctName = "ct-enhanced"

    static let recipes: [TomographyPhantoms.Recipe] = [enhancedCT, segmentation]

    private static func enhancedCT(_ seed: Seed) -> Phantom {
        var phantom = Phantom(
            ctName, shows: "Enhanced CT: the water cylinder in 6 frames with functional groups",
            sopClassUID: SOPClassUID.enhancedCT, series: ctSeries, number: 1, seed: seed)
        var numbers = seed.numbers("ct-enhanced")
        let frames = (0..<frameCount).map { index in
            TomographyPhantoms.cylinder(
                size: size, position: Double(index) / Double(frameCount - 1), noise: 10, from: &numbers
            ).words(in: 0...4095)
        }
        phantom.setGray(frames, columns: size, rows: size, bitsStored: 12)
        putDimensions(of: &phantom, pointers: [("StackID", "FrameContentSequence")], seed: seed)
        // Enhanced CT Image module. PS3.3 §C.8.15.2.
        phantom.dataset.put([
            "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "NumberOfFrames": .number(frameCount),
            "AcquisitionNumber": 1, "AcquisitionDateTime": "20260117091500", "AcquisitionDuration": 3000.0,
            "PixelPresentation": "MONOCHROME", "VolumetricProperties": "VOLUME",
            "VolumeBasedCalculationTechnique": "NONE", "ContentQualification": "RESEARCH", "BurnedInAnnotation": "NO",
            "LossyImageCompression": "00", "PresentationLUTShape": "IDENTITY", "AcquisitionContextSequence": .empty,
            "FrameOfReferenceUID": .text(ctSeries.frameOfReferenceUID(seed)), "PositionReferenceIndicator": "SN",
            "PatientPosition": "HFS", "MultienergyCTAcquisition": "NO",
            "SharedFunctionalGroupsSequence": .items([sharedGroups(seed)]),
            "PerFrameFunctionalGroupsSequence": .items((0..<frameCount).map { frameGroups($0) }),
        ])
        return phantom
    }

    /// Macros that are the same for all frames. PS3.3 §C.7.6.16 and §C.8.15.3.
    private static func sharedGroups(_ seed: Seed) -> Dataset {
        Dataset([
            "PixelMeasuresSequence": .items([pixelMeasures]),
            "PlaneOrientationSequence": .item(["ImageOrientationPatient": [1, 0, 0, 0, 1, 0]]),
            "FrameAnatomySequence": .item([
                "FrameLaterality": "U", "AnatomicRegionSequence": .code(Code("43799004", "SCT", "Chest")),
            ]),
            "FrameVOILUTSequence": .item(["WindowCenter": 40, "WindowWidth": 400]),
            "PixelValueTransformationSequence": .item([
                "RescaleIntercept": -1024, "RescaleSlope": 1, "RescaleType": "HU",
            ]),
            "CTImageFrameTypeSequence": .item([
                "FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "PixelPresentation": "MONOCHROME",
                "VolumetricProperties": "VOLUME", "VolumeBasedCalculationTechnique": "NONE",
            ]),
            "CTAcquisitionTypeSequence": .item([
                "AcquisitionType": "SPIRAL", "ConstantVolumeFlag": "NO", "FluoroscopyFlag": "NO",
            ]),
            "CTTableDynamicsSequence": .item([
                "TableSpeed": 30.0, "TableFeedPerRotation": 15.0, "SpiralPitchFactor": 1.0,
            ]),
            "CTAcquisitionDetailsSequence": .item([
                "RotationDirection": "CW", "RevolutionTime": 0.5, "SingleCollimationWidth": 2.5,
                "TotalCollimationWidth": 15.0, "TableHeight": 150.0, "GantryDetectorTilt": 0,
                "DataCollectionDiameter": 320,
            ]),
            "CTGeometrySequence": .item([
                "DistanceSourceToDetector": 1000, "DistanceSourceToDataCollectionCenter": 550.0,
            ]),
            "CTReconstructionSequence": .item([
                "ReconstructionAlgorithm": "FILTER_BACK_PROJ", "ConvolutionKernel": "STANDARD",
                "ConvolutionKernelGroup": "GENERAL", "ImageFilter": "NONE", "ReconstructionDiameter": 320,
                "ReconstructionAngle": 360.0,
                "ReconstructionPixelSpacing": .decimals([spacing, spacing]),
            ]),
            "CTExposureSequence": .item([
                "ExposureTimeInms": 500.0, "XRayTubeCurrentInmA": 180.0, "ExposureInmAs": 90.0,
                "ExposureModulationType": "NONE", "CTDIvol": 8.0,
                "CTDIPhantomTypeCodeSequence": .code(Code("113691", "DCM", "IEC Body Dosimetry Phantom")),
            ]),
            "IrradiationEventIdentificationSequence": .item([
                "IrradiationEventUID": .text(seed.uid("irradiation \(ctName)"))
            ]),
            "CTXRayDetailsSequence": .item([
                "KVP": 120, "FocalSpots": 1.0, "FilterType": "WEDGE", "FilterMaterial": "ALUMINUM",
                "CalciumScoringMassFactorPatient": 1.0,
            ]),
        ])
    }

    private static let pixelMeasures = Dataset([
        "PixelSpacing": .decimals([spacing, spacing]), "SliceThickness": 5, "SpacingBetweenSlices": 5,
    ])

    private static func planePosition(_ index: Int) -> AttributeValue {
        .item([
            "ImagePositionPatient": .decimals([-160 + spacing / 2, -160 + spacing / 2, 5 * Double(index)])
        ])
    }

    private static func frameGroups(_ index: Int) -> Dataset {
        Dataset([
            "FrameContentSequence": .item([
                "FrameAcquisitionNumber": 1, "FrameReferenceDateTime": "20260117091500",
                "FrameAcquisitionDateTime": "20260117091500", "FrameAcquisitionDuration": 500.0, "StackID": "1",
                "InStackPositionNumber": .number(index + 1), "DimensionIndexValues": [1, .number(index + 1)],
            ]),
            "PlanePositionSequence": planePosition(index),
            "CTPositionSequence": .item([
                "TablePosition": .decimal(5 * Double(index)), "DataCollectionCenterPatient": [0.0, 0.0, 0.0],
                "ReconstructionTargetCenterPatient": [0.0, 0.0, 0.0],
            ]),
        ])
    }

    /// Multi-frame Dimension module; the last index is the position in the stack. PS3.3 §C.7.6.17.
    private static func putDimensions(of phantom: inout Phantom, pointers: [(String, String)], seed: Seed) {
        let organization = AttributeValue.text(seed.uid("dimension organization \(phantom.name)"))
        let all = pointers + [("InStackPositionNumber", "FrameContentSequence")]
        phantom.dataset.put([
            "DimensionOrganizationSequence": .item(["DimensionOrganizationUID": organization]),
            "DimensionIndexSequence": .items(
                all.map {
                    Dataset([
                        "DimensionOrganizationUID": organization, "DimensionIndexPointer": .text($0.0),
                        "FunctionalGroupPointer": .text($0.1),
                    ])
                }),
        ])
    }

    /// A binary segmentation of the cylinder's bone insert. PS3.3 §C.8.20.
    private static func segmentation(_ seed: Seed) -> Phantom {
        let series = Series(visit: visit, key: "seg", number: 2, modality: "SEG", description: "Bone insert")
        var phantom = Phantom(
            "segmentation", shows: "Segmentation, 1 bit: the bone insert of the enhanced CT, 6 frames",
            sopClassUID: SOPClassUID.segmentation, series: series, number: 1, seed: seed)
        let insert = Ellipse.circle(63.75, 33, 6.5)
        let mask = Plane(columns: size, rows: size) { x, y in insert.contains(x, y) ? 1 : 0 }
        phantom.setGray(
            [[UInt8]](repeating: packed(mask), count: frameCount), columns: size, rows: size, bitsStored: 1)
        putDimensions(
            of: &phantom, pointers: [("ReferencedSegmentNumber", "SegmentIdentificationSequence")], seed: seed)
        let image = Reference.instance(ctName, SOPClassUID.enhancedCT, seed: seed)
        phantom.dataset.put([
            "BitsAllocated": 1, "BitsStored": 1, "HighBit": 0, "ImageType": ["DERIVED", "PRIMARY"],
            "NumberOfFrames": .number(frameCount), "ContentLabel": "BONE", "ContentDescription": "Bone insert",
            "ContentCreatorName": "Phantom^Author", "SegmentationType": "BINARY", "LossyImageCompression": "00",
            "FrameOfReferenceUID": .text(ctSeries.frameOfReferenceUID(seed)), "PositionReferenceIndicator": "SN",
            "SegmentSequence": .item([
                "SegmentNumber": 1, "SegmentLabel": "Bone insert", "SegmentAlgorithmType": "AUTOMATIC",
                "SegmentAlgorithmName": "Drawn",
                "SegmentedPropertyCategoryCodeSequence": .code(Code("260787004", "SCT", "Physical object")),
                "SegmentedPropertyTypeCodeSequence": .code(Code("706342009", "SCT", "Phantom")),
            ]),
            "ReferencedSeriesSequence": .item([
                "SeriesInstanceUID": .text(ctSeries.uid(seed)), "ReferencedInstanceSequence": .items([image]),
            ]),
            "SharedFunctionalGroupsSequence": .item([
                "PixelMeasuresSequence": .items([pixelMeasures]),
                "PlaneOrientationSequence": .item(["ImageOrientationPatient": [1, 0, 0, 0, 1, 0]]),
                "SegmentIdentificationSequence": .item(["ReferencedSegmentNumber": 1]),
            ]),
            "PerFrameFunctionalGroupsSequence": .items((0..<frameCount).map { segmentGroups($0, of: image) }),
        ])
        return phantom
    }

    private static func segmentGroups(_ index: Int, of image: Dataset) -> Dataset {
        var source = image
        source.put([
            "ReferencedFrameNumber": .number(index + 1), "SpatialLocationsPreserved": "YES",
            "PurposeOfReferenceCodeSequence": .code(
                Code("121322", "DCM", "Source image for image processing operation")),
        ])
        return Dataset([
            "FrameContentSequence": .item([
                "StackID": "1", "InStackPositionNumber": .number(index + 1),
                "DimensionIndexValues": [1, .number(index + 1)],
            ]),
            "PlanePositionSequence": planePosition(index),
            "DerivationImageSequence": .item([
                "DerivationCodeSequence": .code(Code("113076", "DCM", "Segmentation")),
                "SourceImageSequence": .items([source]),
            ]),
        ])
    }

    /// One bit a pixel, the first in the least significant bit. PS3.5 §8.1.1.
    private static func packed(_ mask: Plane) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: (mask.samples.count + 7) / 8)
        for (index, sample) in mask.samples.enumerated() where sample > 0 { bytes[index / 8] |= 1 << UInt8(index % 8) }
        return bytes
    }
}
