namespace DomainSsl.Dicom;

/// <summary>How a data set and its pixels are written down (PS3.5 annex A).</summary>
/// <param name="Uid">Its unique identifier.</param>
/// <param name="Name">As people call it.</param>
public sealed record TransferSyntax(string Uid, string Name)
{
    /// <summary>Representations are not in the file but in the dictionary.</summary>
    public bool IsImplicit { get; private init; }
    /// <summary>Most significant byte first (retired).</summary>
    public bool IsBigEndian { get; private init; }
    /// <summary>The data set is one deflate stream.</summary>
    public bool IsDeflated { get; private init; }
    /// <summary>Pixel data are fragments of compressed frames.</summary>
    public bool IsEncapsulated { get; private init; }

#pragma warning disable CS1591 // Named as in PS3.6 annex A.
    public static readonly TransferSyntax ImplicitLittle = new("1.2.840.10008.1.2", "Implicit VR Little Endian") { IsImplicit = true };
    public static readonly TransferSyntax ExplicitLittle = new("1.2.840.10008.1.2.1", "Explicit VR Little Endian");
    public static readonly TransferSyntax Deflated = new("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian") { IsDeflated = true };
    public static readonly TransferSyntax ExplicitBig = new("1.2.840.10008.1.2.2", "Explicit VR Big Endian") { IsBigEndian = true };
    public static readonly TransferSyntax JpegBaseline = Encapsulated("1.2.840.10008.1.2.4.50", "JPEG Baseline");
    public static readonly TransferSyntax JpegExtended = Encapsulated("1.2.840.10008.1.2.4.51", "JPEG Extended");
    public static readonly TransferSyntax JpegLossless = Encapsulated("1.2.840.10008.1.2.4.57", "JPEG Lossless");
    public static readonly TransferSyntax JpegLosslessFirstOrder = Encapsulated("1.2.840.10008.1.2.4.70", "JPEG Lossless, First-Order Prediction");
    public static readonly TransferSyntax JpegLsLossless = Encapsulated("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless");
    public static readonly TransferSyntax JpegLsNearLossless = Encapsulated("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless");
    public static readonly TransferSyntax Jpeg2000Lossless = Encapsulated("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless");
    public static readonly TransferSyntax Jpeg2000 = Encapsulated("1.2.840.10008.1.2.4.91", "JPEG 2000");
    public static readonly TransferSyntax Rle = Encapsulated("1.2.840.10008.1.2.5", "RLE Lossless");
#pragma warning restore CS1591

    private static readonly Dictionary<string, TransferSyntax> Known = new TransferSyntax[]
    {
        ImplicitLittle, ExplicitLittle, Deflated, ExplicitBig, JpegBaseline, JpegExtended, JpegLossless, JpegLosslessFirstOrder, JpegLsLossless, JpegLsNearLossless,
        Jpeg2000Lossless, Jpeg2000, Rle,
    }.ToDictionary(s => s.Uid, StringComparer.Ordinal);

    /// <summary>The syntax of a UID. One that is not listed is taken as the standard makes all new ones: explicit, little endian, pixels encapsulated.</summary>
    public static TransferSyntax Of(string uid) => Known.TryGetValue(uid, out var known) ? known : Encapsulated(uid, uid);

    private static TransferSyntax Encapsulated(string uid, string name) => new(uid, name) { IsEncapsulated = true };
}
