namespace DomainSsl.Dicom;

/// <summary>What is done with an element (PS3.15 table E.1-1a).</summary>
internal enum DeidentificationAction
{
    /// <summary>K: as it is.</summary>
    Keep,
    /// <summary>X: taken out.</summary>
    Remove,
    /// <summary>Z: left without a value, since readers expect the element.</summary>
    Empty,
    /// <summary>C, for dates: moved by the patient's offset.</summary>
    ShiftDate,
    /// <summary>U: replaced by its keyed twin.</summary>
    ReplaceUid,
    /// <summary>The patient's pseudonym takes its place.</summary>
    Pseudonym,
    /// <summary>Ages of ninety and more become ninety.</summary>
    CapAge,
    /// <summary>A sequence: its items are cleaned one by one.</summary>
    Clean,
}

/// <summary>
/// The rules of the first profile, after the Basic Application Level Confidentiality Profile of PS3.15 annex E with three of its options: longitudinal dates modified,
/// patient characteristics (sex, age, size, weight) kept, and the kind of device kept. The standard lists what to remove; here text goes unless it is listed as harmless,
/// so that an element nobody thought of is lost rather than leaked. Text that is drawn into the pixels stays and is not this profile's matter.
/// </summary>
internal static class BasicProfile
{
    /// <summary>The action for an element; <paramref name="vr"/> is the file's, which counts only where the dictionary knows none.</summary>
    public static DeidentificationAction Of(DicomTag tag, DicomVr vr)
    {
        // Private elements, repeating groups of overlays and curves, and whatever the dictionary does not know cannot be vouched for.
        if (tag.IsPrivate || tag.Group is >= 0x5000 and <= 0x50FF or >= 0x6000 and <= 0x60FF || DicomDictionary.Name(tag) is not { } name) return DeidentificationAction.Remove;
        if (Listed.TryGetValue(tag, out var action)) return action;
        var meant = DicomDictionary.Vr(tag);
        // Whichever of the two is the more careful: a date that a file calls text is still a date, and text in place of a number may say anything.
        if (vr != meant && vr != DicomVr.UN && vr.IsText() && !meant.IsText()) return DeidentificationAction.Remove;
        return meant switch
        {
            DicomVr.SQ => DeidentificationAction.Clean,
            DicomVr.DA or DicomVr.DT => DeidentificationAction.ShiftDate,
            DicomVr.UI => IsClassOrScheme(name) ? DeidentificationAction.Keep : DeidentificationAction.ReplaceUid,
            DicomVr.AS => DeidentificationAction.CapAge,
            DicomVr.PN or DicomVr.LO or DicomVr.SH or DicomVr.LT or DicomVr.ST or DicomVr.UT or DicomVr.UC or DicomVr.UR or DicomVr.AE or DicomVr.UN => DeidentificationAction.Remove,
            _ => DeidentificationAction.Keep,
        };
    }

    // These UIDs say what, not who.
    private static bool IsClassOrScheme(string name) => name.EndsWith("ClassUID", StringComparison.Ordinal) || name.EndsWith("SyntaxUID", StringComparison.Ordinal)
        || name.EndsWith("CodingSchemeUID", StringComparison.Ordinal) || name.EndsWith("ContextUID", StringComparison.Ordinal)
        || name.EndsWith("MappingResourceUID", StringComparison.Ordinal) || name.EndsWith("ClassesInStudy", StringComparison.Ordinal)
        || name.EndsWith("ClassesSupported", StringComparison.Ordinal);

    private static readonly Dictionary<DicomTag, DeidentificationAction> Listed = Build();

    private static Dictionary<DicomTag, DeidentificationAction> Build()
    {
        var listed = new Dictionary<DicomTag, DeidentificationAction>();
        Put(DeidentificationAction.Pseudonym, DicomTags.PatientID, DicomTags.PatientName);
        // Required, possibly empty (type 2) in the composite objects: PS3.3 §C.7.1.1, §C.7.2.1, §C.7.5.1.
        Put(DeidentificationAction.Empty, DicomTags.PatientBirthDate, DicomTags.AccessionNumber, DicomTags.ReferringPhysicianName, DicomTags.StudyID);
        // Dates that name a person whatever they are moved to, and times of birth.
        Put(DeidentificationAction.Remove, DicomTags.PatientBirthTime, DicomTags.PatientBirthDateInAlternativeCalendar, DicomTags.PatientDeathDateInAlternativeCalendar,
            DicomTags.IssueDateOfImagingServiceRequest);
        // Text that describes the picture and comes from the device, and the codes of PS3.3 table 8.8-1.
        Put(DeidentificationAction.Keep, DicomTags.SpecificCharacterSet, DicomTags.Manufacturer, DicomTags.ManufacturerModelName, DicomTags.SoftwareVersions,
            DicomTags.CodeValue, DicomTags.LongCodeValue, DicomTags.CodeMeaning, DicomTags.CodingSchemeDesignator, DicomTags.CodingSchemeVersion, DicomTags.CodingSchemeName,
            DicomTags.ConvolutionKernel, DicomTags.FilterMaterial, DicomTags.SequenceName, DicomTags.PulseSequenceName, DicomTags.ReceiveCoilName, DicomTags.TransmitCoilName,
            DicomTags.ContrastBolusAgent, DicomTags.ContrastBolusRoute, DicomTags.DetectorConfiguration, DicomTags.Grid, DicomTags.CollimatorGridName, DicomTags.TypeOfFilters,
            DicomTags.PositionReferenceIndicator, DicomTags.RescaleType, DicomTags.WindowCenterWidthExplanation, DicomTags.LUTExplanation, DicomTags.ModalityLUTType,
            DicomTags.AcquisitionDeviceProcessingCode, DicomTags.ImagedNucleus, DicomTags.TransducerType, DicomTags.SegmentAlgorithmName, DicomTags.SegmentLabel,
            DicomTags.PatientSex, DicomTags.TimezoneOffsetFromUTC, DicomTags.CountsSource, DicomTags.DecayCorrection, DicomTags.ICCProfile);
        // Pictures of pictures, documents, signatures over what is no longer so, and records of what was there before.
        Put(DeidentificationAction.Remove, DicomTags.PersonIdentificationCodeSequence, DicomTags.OperatorIdentificationSequence, DicomTags.InstitutionCodeSequence, DicomTags.IconImageSequence, DicomTags.EncapsulatedDocument, DicomTags.DigitalSignaturesSequence, DicomTags.MACParametersSequence,
            DicomTags.EncryptedAttributesSequence, DicomTags.OriginalAttributesSequence, DicomTags.OtherPatientIDsSequence, DicomTags.DeidentificationMethodCodeSequence,
            DicomTags.DataSetTrailingPadding, DicomTags.IssuerOfPatientIDQualifiersSequence, DicomTags.PatientSpeciesCodeSequence, DicomTags.ResponsiblePersonRole,
            DicomTags.PatientMotherBirthName, DicomTags.PatientInsurancePlanCodeSequence, DicomTags.PatientPrimaryLanguageCodeSequence, DicomTags.ReferencedPatientPhotoSequence);
        return listed;

        void Put(DeidentificationAction action, params ReadOnlySpan<DicomTag> tags)
        {
            foreach (var tag in tags) listed[tag] = action;
        }
    }
}
