import DICOM

/// VL Whole Slide Microscopy Image Storage: a small slide in six tiles. PS3.3 §A.32.8.
enum SlidePhantoms {
    private static let tileSize = 128
    private static let columns = 384
    private static let rows = 256
    /// Millimetres from one pixel's centre to the next.
    private static let spacing = 0.002
    private static let visit = Visit(key: "slide", subject: .heShubai, description: "病理切片 HE", date: "20260116")

    static let recipes: [TomographyPhantoms.Recipe] = [slide]

    private static func slide(_ seed: Seed) -> Phantom {
        let series = Series(visit: visit, key: "slide", number: 1, modality: "SM", description: "全切片 tiles")
        var phantom = Phantom(
            "wsi-tiles", shows: "Whole slide microscopy: stained tissue with nuclei, 6 tiles of 128×128, tiled full",
            sopClassUID: SOPClassUID.wholeSlide, series: series, number: 1, seed: seed)
        phantom.setColor(tiles(seed), columns: tileSize, rows: tileSize)
        putImageAttributes(of: &phantom, seed: seed)
        putSpecimen(of: &phantom, seed: seed)
        putDimensions(of: &phantom, seed: seed)
        putFunctionalGroups(of: &phantom)
        phantom.dataset.put([
            "FrameOfReferenceUID": .text(series.frameOfReferenceUID(seed)),
            "PositionReferenceIndicator": "SLIDE_CORNER",
        ])
        return phantom
    }

    /// Whole Slide Microscopy Image and Optical Path modules. PS3.3 §C.8.12.4 and §C.8.12.5.
    private static func putImageAttributes(of phantom: inout Phantom, seed: Seed) {
        phantom.dataset.put([
            "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"], "NumberOfFrames": 6,
            "AcquisitionDateTime": .text(visit.date + visit.time), "AcquisitionDuration": 12.0,
            "BurnedInAnnotation": "NO", "LossyImageCompression": "00", "VolumetricProperties": "VOLUME",
            "SpecimenLabelInImage": "NO", "FocusMethod": "AUTO", "ExtendedDepthOfField": "NO",
            "AcquisitionContextSequence": .empty, "ImagedVolumeWidth": .decimal(spacing * Double(columns)),
            "ImagedVolumeHeight": .decimal(spacing * Double(rows)), "ImagedVolumeDepth": 4.0,
            "TotalPixelMatrixColumns": .number(columns), "TotalPixelMatrixRows": .number(rows),
            "TotalPixelMatrixOriginSequence": .item([
                "XOffsetInSlideCoordinateSystem": 20, "YOffsetInSlideCoordinateSystem": 40,
            ]),
            "ImageOrientationSlide": [0, -1, 0, -1, 0, 0], "NumberOfOpticalPaths": 1,
            "TotalPixelMatrixFocalPlanes": 1,
            "OpticalPathSequence": .item([
                "OpticalPathIdentifier": "1", "ICCProfile": .bytes(ColorProfile.standardRGB), "ColorSpace": "SRGB",
                "IlluminationTypeCodeSequence": .code(Code("111744", "DCM", "Brightfield illumination")),
                "IlluminationColorCodeSequence": .code(Code("414298005", "SCT", "Full Spectrum")),
            ]),
        ])
    }

    /// Specimen module. PS3.3 §C.7.6.22.
    private static func putSpecimen(of phantom: inout Phantom, seed: Seed) {
        let preparation: [(Code, AttributeValue)] = [
            (Code("111701", "DCM", "Processing type"), .code(Code("127790008", "SCT", "Staining"))),
            (Code("424361007", "SCT", "Using substance"), .code(Code("12710003", "SCT", "hematoxylin stain"))),
        ]
        var steps: [Dataset] = [
            Dataset([
                "ValueType": "TEXT", "ConceptNameCodeSequence": .code(Code("121041", "DCM", "Specimen Identifier")),
                "TextValue": "S-0001",
            ])
        ]
        steps += preparation.map {
            Dataset(["ValueType": "CODE", "ConceptNameCodeSequence": .code($0.0), "ConceptCodeSequence": $0.1])
        }
        phantom.dataset.put([
            "ContainerIdentifier": "SLIDE-0001", "IssuerOfTheContainerIdentifierSequence": .empty,
            "ContainerTypeCodeSequence": .code(Code("433466003", "SCT", "Microscope slide")),
            "SpecimenDescriptionSequence": .item([
                "SpecimenIdentifier": "S-0001", "SpecimenUID": .text(seed.uid("specimen")),
                "IssuerOfTheSpecimenIdentifierSequence": .empty,
                "SpecimenPreparationSequence": .item(["SpecimenPreparationStepContentItemSequence": .items(steps)]),
            ]),
        ])
    }

    /// Multi-frame Dimension module: tiles row by row. PS3.3 §C.7.6.17.
    private static func putDimensions(of phantom: inout Phantom, seed: Seed) {
        let organization = AttributeValue.text(seed.uid("dimension organization slide"))
        let pointers = ["RowPositionInTotalImagePixelMatrix", "ColumnPositionInTotalImagePixelMatrix"]
        phantom.dataset.put([
            "DimensionOrganizationType": "TILED_FULL",
            "DimensionOrganizationSequence": .item(["DimensionOrganizationUID": organization]),
            "DimensionIndexSequence": .items(
                pointers.map {
                    Dataset([
                        "DimensionOrganizationUID": organization, "DimensionIndexPointer": .text($0),
                        "FunctionalGroupPointer": "PlanePositionSlideSequence",
                    ])
                }),
        ])
    }

    /// Tiled full: what each frame shows follows from its number, so only shared groups. PS3.3 §C.7.6.17.3.
    private static func putFunctionalGroups(of phantom: inout Phantom) {
        phantom.dataset.put(
            "SharedFunctionalGroupsSequence",
            .item([
                "PixelMeasuresSequence": .item([
                    "PixelSpacing": .decimals([spacing, spacing]), "SliceThickness": 0.004,
                ]),
                "WholeSlideMicroscopyImageFrameTypeSequence": .item([
                    "FrameType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
                ]),
                "OpticalPathIdentificationSequence": .item(["OpticalPathIdentifier": "1"]),
            ]))
    }

    private static func tiles(_ seed: Seed) -> [[UInt8]] {
        var numbers = seed.numbers("wsi-tiles")
        let nuclei = (0..<150).map { _ in
            Ellipse(
                Double(columns) * numbers.unit(), Double(rows) * numbers.unit(), 3.5 + 2.5 * numbers.unit(),
                2.5 + 2 * numbers.unit(), angle: 3 * numbers.unit())
        }
        let lumen = Ellipse(250, 120, 54, 36, angle: 0.4)
        var result: [[UInt8]] = []
        for top in stride(from: 0, to: rows, by: tileSize) {
            for left in stride(from: 0, to: columns, by: tileSize) {
                let tile = ColorPlane(columns: tileSize, rows: tileSize) { column, row in
                    let x = column + Double(left)
                    let y = row + Double(top)
                    let grain = 1 + 0.02 * numbers.noise()
                    if lumen.contains(x, y) { return Color(242, 238, 242).lit(by: grain) }
                    if nuclei.contains(where: { $0.contains(x, y) }) { return Color(92, 56, 140).lit(by: grain) }
                    let wave = 0.5 + 0.5 * Curve.sine(x / 19 + 2 * Curve.sine(y / 31))
                    return Color(236, 180, 206).mixed(with: Color(214, 126, 170), wave).lit(by: grain)
                }
                result.append(tile.interleaved())
            }
        }
        return result
    }
}
