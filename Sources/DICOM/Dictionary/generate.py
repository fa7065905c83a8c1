#!/usr/bin/env python3
"""Writes AttributeTable.swift, StorageClassTable.swift and Tag+Attributes.swift beside this file.

The source is pydicom (pip install pydicom), whose tables follow DICOM PS3.6 of the edition named in its own data.
Run after an update of pydicom:  python3 generate.py
"""

import pathlib
import re

import pydicom
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary

HERE = pathlib.Path(__file__).parent

# Storage SOP classes of PS3.4 Table B.5-1 whose names do not end in "Storage", and retired ones met in the field
# that the table of UIDs no longer carries, and those of 2025 and 2026 that it does not carry yet.
EXTRA_STORAGE = {
    "1.2.840.10008.5.1.1.27": "Stored Print Storage SOP Class",
    "1.2.840.10008.5.1.1.29": "Hardcopy Grayscale Image Storage SOP Class",
    "1.2.840.10008.5.1.1.30": "Hardcopy Color Image Storage SOP Class",
    "1.2.840.10008.5.1.4.1.1.3": "Ultrasound Multi-frame Image Storage (Retired)",
    "1.2.840.10008.5.1.4.1.1.5": "Nuclear Medicine Image Storage (Retired)",
    "1.2.840.10008.5.1.4.1.1.6": "Ultrasound Image Storage (Retired)",
    "1.2.840.10008.5.1.4.1.1.8": "Standalone Overlay Storage",
    "1.2.840.10008.5.1.4.1.1.9": "Standalone Curve Storage",
    "1.2.840.10008.5.1.4.1.1.2.3": "CT Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.2.4": "Enhanced CT Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.2.5": "Legacy Converted Enhanced CT Image Storage - For Processing",
    "1.2.840.10008.5.1.4.1.1.601.5": "Ultrasound Waveform Storage",
    "1.2.840.10008.5.1.4.1.1.9.100.1": "Waveform Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.9.100.2": "Waveform Acquisition Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.10": "Standalone Modality LUT Storage",
    "1.2.840.10008.5.1.4.1.1.11": "Standalone VOI LUT Storage",
    "1.2.840.10008.5.1.4.1.1.12.3": "X-Ray Angiographic Bi-Plane Image Storage",
    "1.2.840.10008.5.1.4.1.1.77.1": "VL Image Storage - Trial",
    "1.2.840.10008.5.1.4.1.1.77.2": "VL Multi-frame Image Storage - Trial",
    "1.2.840.10008.5.1.4.1.1.88.1": "Text SR Storage - Trial",
    "1.2.840.10008.5.1.4.1.1.88.2": "Audio SR Storage - Trial",
    "1.2.840.10008.5.1.4.1.1.88.3": "Detail SR Storage - Trial",
    "1.2.840.10008.5.1.4.1.1.88.4": "Comprehensive SR Storage - Trial",
    "1.2.840.10008.5.1.4.1.1.129": "Standalone PET Curve Storage",
    "1.2.840.10008.5.1.4.34.1": "RT Beams Delivery Instruction Storage - Trial",
    "1.2.840.10008.5.1.4.34.7": "RT Beams Delivery Instruction Storage",
}

# The attributes the code names; everything else is reached by Tag.named(_:).
NAMED = """
FileMetaInformationGroupLength FileMetaInformationVersion MediaStorageSOPClassUID MediaStorageSOPInstanceUID
TransferSyntaxUID ImplementationClassUID ImplementationVersionName SourceApplicationEntityTitle
SendingApplicationEntityTitle ReceivingApplicationEntityTitle PrivateInformationCreatorUID
FileSetID DirectoryRecordSequence DirectoryRecordType ReferencedFileID ReferencedSOPClassUIDInFile
ReferencedSOPInstanceUIDInFile ReferencedTransferSyntaxUIDInFile
SpecificCharacterSet ImageType InstanceCreationDate InstanceCreationTime InstanceCreatorUID SOPClassUID
SOPInstanceUID StudyDate SeriesDate AcquisitionDate ContentDate AcquisitionDateTime StudyTime SeriesTime
AcquisitionTime ContentTime AccessionNumber IssuerOfAccessionNumberSequence QueryRetrieveLevel QueryRetrieveView
RetrieveAETitle StationAETitle InstanceAvailability FailedSOPInstanceUIDList Modality ModalitiesInStudy
SOPClassesInStudy AnatomicRegionsInStudyCodeSequence ConversionType PresentationIntentType Manufacturer
InstitutionName InstitutionAddress InstitutionCodeSequence ReferringPhysicianName
ReferringPhysicianIdentificationSequence CodeValue CodingSchemeDesignator CodingSchemeVersion CodeMeaning
LongCodeValue URNCodeValue MappingResource TimezoneOffsetFromUTC StationName StudyDescription
ProcedureCodeSequence SeriesDescription SeriesDescriptionCodeSequence InstitutionalDepartmentName
PhysiciansOfRecord PerformingPhysicianName NameOfPhysiciansReadingStudy OperatorsName
AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence ManufacturerModelName ReferencedStudySequence
ReferencedPerformedProcedureStepSequence ReferencedSeriesSequence ReferencedPatientSequence
ReferencedImageSequence ReferencedInstanceSequence ReferencedSOPClassUID ReferencedSOPInstanceUID
ReferencedFrameNumber TransactionUID FailureReason FailedSOPSequence ReferencedSOPSequence
DerivationDescription SourceImageSequence AnatomicRegionSequence
PatientName PatientID IssuerOfPatientID TypeOfPatientID IssuerOfPatientIDQualifiersSequence
UniversalEntityID UniversalEntityIDType PatientBirthDate PatientBirthTime PatientSex OtherPatientIDs
OtherPatientNames OtherPatientIDsSequence PatientBirthName PatientAge PatientSize PatientWeight PatientAddress
PatientMotherBirthName EthnicGroup Occupation AdditionalPatientHistory PatientSpeciesDescription
PatientBreedDescription ResponsiblePerson ResponsibleOrganization PatientComments PatientIdentityRemoved
DeidentificationMethod DeidentificationMethodCodeSequence PregnancyStatus PatientTelephoneNumbers MedicalAlerts
Allergies PatientState SmokingStatus
ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialSubjectID ClinicalTrialTimePointID
BodyPartExamined ContrastBolusAgent ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName
SliceThickness KVP RepetitionTime EchoTime MagneticFieldStrength SpacingBetweenSlices DeviceSerialNumber
DeviceUID ProtocolName SoftwareVersions ReconstructionDiameter ExposureTime XRayTubeCurrent Exposure
ConvolutionKernel PatientPosition ViewPosition SecondaryCaptureDeviceManufacturer FrameTime CineRate
DateOfSecondaryCapture TimeOfSecondaryCapture SecondaryCaptureDeviceID
StudyInstanceUID SeriesInstanceUID StudyID SeriesNumber AcquisitionNumber InstanceNumber PatientOrientation
ImagePositionPatient ImageOrientationPatient FrameOfReferenceUID Laterality ImageLaterality
TemporalPositionIdentifier NumberOfTemporalPositions PositionReferenceIndicator SliceLocation
NumberOfPatientRelatedStudies NumberOfPatientRelatedSeries NumberOfPatientRelatedInstances
NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances NumberOfSeriesRelatedInstances ImageComments
SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames FrameIncrementPointer Rows Columns
PixelSpacing PixelAspectRatio BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue
LargestImagePixelValue SmallestPixelValueInSeries LargestPixelValueInSeries PixelPaddingValue
BurnedInAnnotation WindowCenter WindowWidth RescaleIntercept RescaleSlope RescaleType
WindowCenterWidthExplanation LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod
ModalityLUTSequence VOILUTSequence RedPaletteColorLookupTableDescriptor
GreenPaletteColorLookupTableDescriptor BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData
GreenPaletteColorLookupTableData BluePaletteColorLookupTableData ICCProfile
RequestingPhysician RequestingService RequestedProcedureDescription RequestedProcedureCodeSequence
AdmissionID IssuerOfAdmissionIDSequence AdmittingDate CurrentPatientLocation VisitStatusID
ScheduledStationAETitle ScheduledProcedureStepStartDate ScheduledProcedureStepStartTime
ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledProcedureStepID
ScheduledProcedureStepSequence ScheduledStationName ScheduledProcedureStepStatus
PerformedStationAETitle PerformedProcedureStepStartDate PerformedProcedureStepStartTime
PerformedProcedureStepEndDate PerformedProcedureStepEndTime PerformedProcedureStepStatus
PerformedProcedureStepID PerformedProcedureStepDescription RequestAttributesSequence RequestedProcedureID
RequestedProcedurePriority ReasonForTheRequestedProcedure ConsultingPhysicianName
PlacerOrderNumberImagingServiceRequest FillerOrderNumberImagingServiceRequest
ReasonForPerformedProcedureCodeSequence PersonIdentificationCodeSequence
AcquisitionContextSequence ConceptNameCodeSequence ConceptCodeSequence ContentSequence ContentTemplateSequence
ValueType TextValue PersonName UID DateTime Date Time NumericValue MeasuredValueSequence MeasurementUnitsCodeSequence
RelationshipType ContinuityOfContent CompletionFlag VerificationFlag VerificationDateTime
VerifyingObserverSequence VerifyingObserverName ObservationDateTime CurrentRequestedProcedureEvidenceSequence
PertinentOtherEvidenceSequence DocumentTitle EncapsulatedDocument MIMETypeOfEncapsulatedDocument
EncapsulatedDocumentLength SourceInstanceSequence HL7InstanceIdentifier
ContentLabel ContentDescription ContentCreatorName PresentationCreationDate PresentationCreationTime
GraphicAnnotationSequence DisplayedAreaSelectionSequence
WaveformSequence WaveformData WaveformBitsAllocated WaveformSampleInterpretation NumberOfWaveformChannels
NumberOfWaveformSamples SamplingFrequency MultiplexGroupLabel ChannelDefinitionSequence
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence DimensionOrganizationSequence
FrameContentSequence PixelMeasuresSequence PlanePositionSequence PlaneOrientationSequence
TotalPixelMatrixColumns TotalPixelMatrixRows OpticalPathSequence SegmentSequence
OverlayData OverlayRows OverlayColumns
StructureSetLabel RTPlanLabel IconImageSequence StorageMediaFileSetID StorageMediaFileSetUID
DigitalSignaturesSequence DataSetTrailingPadding
ExtendedOffsetTable ExtendedOffsetTableLengths FloatPixelData DoubleFloatPixelData PixelData
EncapsulatedPixelDataValueTotalLength
""".split()

# Structure, which is not in the dictionary. PS3.5 §7.5.
STRUCTURE = {"item": 0xFFFEE000, "itemDelimitationItem": 0xFFFEE00D, "sequenceDelimitationItem": 0xFFFEE0DD}


def source():
    text = pathlib.Path(pydicom.__file__).with_name("uid.py").read_text()
    data = pathlib.Path(pydicom.__file__).with_name("_version.py").read_text()
    edition = re.search(r"__dicom_version__[^\n]*?\"(\w+)\"", data) or re.search(r"(20\d\d[a-e])", data + text)
    return f"pydicom {pydicom.__version__}" + (f", DICOM PS3.6 {edition.group(1)}" if edition else "")


def head():
    return f"// Generated by generate.py from {source()}. Do not edit.\n"


def chosen(vr):
    """One VR where PS3.6 leaves a choice; US against SS is decided by Pixel Representation, by the caller."""
    return {"US or SS": "US", "US or SS or OW": "OW", "US or OW": "OW", "OB or OW": "OW"}.get(vr, vr)


def camel(keyword):
    run = re.match(r"[A-Z]+", keyword).group(0)
    if len(run) == len(keyword) or len(run) == 1:
        return keyword[: len(run)].lower() + keyword[len(run):]
    # The last capital of a run begins the next word, unless a digit follows.
    count = len(run) if keyword[len(run)].isdigit() else len(run) - 1
    return keyword[:count].lower() + keyword[count:]


def attributes():
    lines = []
    for tag, (vr, _, _, _, keyword) in sorted(DicomDictionary.items()):
        if len(chosen(vr)) == 2 and keyword and tag >> 16 != 0xFFFE:
            lines.append(f"{tag:08X}{chosen(vr)}{keyword}")
    repeaters = []
    for tag, (vr, _, _, _, keyword) in sorted(RepeatersDictionary.items()):
        if len(chosen(vr)) == 2 and keyword:
            repeaters.append(f"{tag.replace('x', 'X')}{chosen(vr)}{keyword}")
    body = "\n".join(lines)
    masks = "\n".join(repeaters)
    return head() + (
        "\n/// The attributes of PS3.6 and the command elements of PS3.7, one a line: tag, VR, keyword.\n"
        "enum AttributeTable {\n"
        f"    static let count = {len(lines)}\n\n"
        f'    static let lines: StaticString = """\n{indent(body)}\n        """\n\n'
        "    /// Attributes of repeating groups; X stands for any hexadecimal digit. PS3.5 §7.6.\n"
        f'    static let repeating: StaticString = """\n{indent(masks)}\n        """\n'
        "}\n")


def indent(text):
    return "\n".join("        " + line for line in text.split("\n"))


def storage():
    found = dict(EXTRA_STORAGE)
    for uid, (name, kind, _, retired, _) in UID_dictionary.items():
        if kind != "SOP Class" or not re.search(r"Storage\b", name) or "Commitment" in name:
            continue
        if name == "Media Storage Directory Storage" or name.startswith("Storage"):
            continue
        found[uid] = name + (" (Retired)" if retired and "etired" not in name else "")
    rows = sorted(found.items(), key=lambda item: [int(part) for part in item[0].split(".")])
    body = "\n".join(f"{uid} {name}" for uid, name in rows)
    return head() + (
        "\n/// The storage SOP classes of PS3.4 Table B.5-1 and retired ones, one a line: UID, name.\n"
        "enum StorageClassTable {\n"
        f'    static let lines: StaticString = """\n{indent(body)}\n        """\n'
        "}\n")


def names():
    by_keyword = {entry[4]: tag for tag, entry in DicomDictionary.items()}
    for tag, entry in RepeatersDictionary.items():
        by_keyword.setdefault(entry[4], int(tag.replace("x", "0"), 16))
    commands = {e[4]: t for t, e in DicomDictionary.items() if t >> 16 == 0 and e[4]}
    tags = {camel(k): t for k, t in commands.items()}
    for keyword in NAMED:
        if keyword not in by_keyword:
            raise SystemExit(f"unknown keyword {keyword}")
        tags[camel(keyword)] = by_keyword[keyword]
    tags.update(STRUCTURE)
    body = "\n".join(
        f"    public static let {name} = Tag(0x{tag >> 16:04X}_{tag & 0xFFFF:04X})"
        for name, tag in sorted(tags.items(), key=lambda item: item[1]))
    return head() + f"\n/// The attributes that are named in code, by their keyword. PS3.6 §6, PS3.7 §E.\nextension Tag {{\n{body}\n}}\n"


def main():
    (HERE / "AttributeTable.swift").write_text(attributes())
    (HERE / "StorageClassTable.swift").write_text(storage())
    (HERE / "Tag+Attributes.swift").write_text(names())


main()
