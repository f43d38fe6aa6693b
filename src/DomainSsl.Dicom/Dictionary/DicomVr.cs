namespace DomainSsl.Dicom;

/// <summary>The value representations of PS3.5 §6.2; each is its two letters as they stand in a file.</summary>
public enum DicomVr : ushort
{
#pragma warning disable CS1591 // Two letters each, explained in PS3.5 table 6.2-1.
    AE = 'A' | 'E' << 8, AS = 'A' | 'S' << 8, AT = 'A' | 'T' << 8, CS = 'C' | 'S' << 8, DA = 'D' | 'A' << 8, DS = 'D' | 'S' << 8, DT = 'D' | 'T' << 8,
    FD = 'F' | 'D' << 8, FL = 'F' | 'L' << 8, IS = 'I' | 'S' << 8, LO = 'L' | 'O' << 8, LT = 'L' | 'T' << 8, OB = 'O' | 'B' << 8, OD = 'O' | 'D' << 8,
    OF = 'O' | 'F' << 8, OL = 'O' | 'L' << 8, OV = 'O' | 'V' << 8, OW = 'O' | 'W' << 8, PN = 'P' | 'N' << 8, SH = 'S' | 'H' << 8, SL = 'S' | 'L' << 8,
    SQ = 'S' | 'Q' << 8, SS = 'S' | 'S' << 8, ST = 'S' | 'T' << 8, SV = 'S' | 'V' << 8, TM = 'T' | 'M' << 8, UC = 'U' | 'C' << 8, UI = 'U' | 'I' << 8,
    UL = 'U' | 'L' << 8, UN = 'U' | 'N' << 8, UR = 'U' | 'R' << 8, US = 'U' | 'S' << 8, UT = 'U' | 'T' << 8, UV = 'U' | 'V' << 8,
#pragma warning restore CS1591
}

/// <summary>What the standard says of a value representation.</summary>
public static class DicomVrs
{
    /// <summary>The explicit header has two reserved bytes and a 32-bit length (PS3.5 §7.1.2).</summary>
    public static bool HasLongLength(this DicomVr vr) => vr is DicomVr.OB or DicomVr.OD or DicomVr.OF or DicomVr.OL or DicomVr.OV or DicomVr.OW or DicomVr.SQ
        or DicomVr.SV or DicomVr.UC or DicomVr.UN or DicomVr.UR or DicomVr.UT or DicomVr.UV;

    /// <summary>Characters; the rest are numbers, bytes or items.</summary>
    public static bool IsText(this DicomVr vr) => vr is DicomVr.AE or DicomVr.AS or DicomVr.CS or DicomVr.DA or DicomVr.DS or DicomVr.DT or DicomVr.IS or DicomVr.LO
        or DicomVr.LT or DicomVr.PN or DicomVr.SH or DicomVr.ST or DicomVr.TM or DicomVr.UC or DicomVr.UI or DicomVr.UR or DicomVr.UT;

    /// <summary>Text in the data set's specific character set; other text is plain ASCII (PS3.5 §6.1.2.3).</summary>
    public static bool IsLocalText(this DicomVr vr) => vr is DicomVr.LO or DicomVr.LT or DicomVr.PN or DicomVr.SH or DicomVr.ST or DicomVr.UC or DicomVr.UT;

    /// <summary>One text in which a backslash is a character, not a separator.</summary>
    public static bool IsSingleText(this DicomVr vr) => vr is DicomVr.LT or DicomVr.ST or DicomVr.UT or DicomVr.UR;

    /// <summary>Bytes of one value as they turn round between byte orders; 1 where order does not matter.</summary>
    public static int WordSize(this DicomVr vr) => vr switch
    {
        DicomVr.AT or DicomVr.OW or DicomVr.SS or DicomVr.US => 2,
        DicomVr.FL or DicomVr.OF or DicomVr.OL or DicomVr.SL or DicomVr.UL => 4,
        DicomVr.FD or DicomVr.OD or DicomVr.OV or DicomVr.SV or DicomVr.UV => 8,
        _ => 1,
    };

    /// <summary>One of the standard's own.</summary>
    public static bool IsKnown(this DicomVr vr) => Known.Contains(vr);

    /// <summary>Reads the two letters.</summary>
    internal static DicomVr Parse(string letters) => (DicomVr)(letters[0] | letters[1] << 8);

    private static readonly HashSet<DicomVr> Known = [.. Enum.GetValues<DicomVr>()];
}
